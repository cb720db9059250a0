// Claims: what a client is said to do, tried one after another, each with a line of its own.

const { execFile } = require('child_process')
const { isDeepStrictEqual, promisify } = require('util')

const STEP_MS = 20_000
const run = promisify(execFile)

/** Tries all claims of a client and ends the process with 1 if one of them failed. */
async function tryAll(client, claims, cleanUp) {
	let failed = 0
	for (const [text, claim] of claims) {
		let timer
		const time = new Promise((_, reject) => {
			timer = setTimeout(() => reject(new Error(`no end within ${STEP_MS / 1000} s`)), STEP_MS)
		})
		try {
			await Promise.race([claim(), time])
			console.log(`PASS ${client}: ${text}`)
		} catch (error) {
			failed += 1
			console.log(`FAIL ${client}: ${text}: ${error.message}`)
		}
		clearTimeout(timer)
		await cleanUp()
	}
	process.exit(failed ? 1 : 0)
}

function equal(found, wanted, what) {
	if (!isDeepStrictEqual(found, wanted)) {
		throw new Error(`${what}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`)
	}
}

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Asks until the answer is something, for five seconds. */
async function eventually(ask, what) {
	for (let n = 0; n < 50; n += 1) {
		const answer = await ask()
		if (answer) {
			return answer
		}
		await pause(100)
	}
	throw new Error(`${what} did not come within 5 s`)
}

/** The first unresolved incident of an instance, its keys as text. */
async function incident(instance) {
	const found = await eventually(async () => {
		const args = ['get', 'incidents', '--json', '--instance', `${instance}`]
		const { stdout } = await run(process.env.CORETO_PROGRAM, args)
		return JSON.parse(stdout)[0]
	}, 'an incident')
	return { ...found, incidentKey: `${found.incidentKey}`, jobKey: `${found.jobKey}` }
}

/** The gRPC status number with which a promise is rejected; 0 when it is not. */
async function status(promise) {
	try {
		await promise
	} catch (error) {
		if (typeof error.code === 'number') {
			return error.code
		}
		throw error
	}
	return 0
}

module.exports = { equal, eventually, incident, pause, status, tryAll }
