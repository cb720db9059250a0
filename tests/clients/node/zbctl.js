// What zbctl can do, command by command, against the gateway in ZEEBE_ADDRESS.

const { execFile, spawn } = require('child_process')
const { dirname, join } = require('path')
const { equal, eventually, incident, pause, tryAll } = require('./claims')

// The package's own program: its wrapper would ask a registry for updates after every command.
const suffix = { darwin: '.darwin', win32: '.exe' }[process.platform] ?? '.linux'
const program = join(dirname(require.resolve('zbctl/package.json')), 'bin', `zbctl-cli${suffix}`)
const models = process.env.MODELS

let started = []

/** Runs one command; its standard output, or an error with what it wrote to standard error. */
function zbctl(...args) {
	return new Promise((resolve, reject) => {
		execFile(program, ['--insecure', ...args], { timeout: 15_000 }, (error, stdout, stderr) => {
			if (error) {
				reject(new Error(`${args.slice(0, 2).join(' ')}: ${stderr.trim() || error.message}`))
			} else {
				resolve(stdout)
			}
		})
	})
}

const ask = async (...args) => JSON.parse(await zbctl(...args))

/** That a command is refused with a status. */
async function refused(wanted, ...args) {
	let said = 'nothing was refused'
	try {
		await zbctl(...args)
	} catch (error) {
		said = error.message
	}
	if (!said.includes(`code = ${wanted}`)) {
		throw new Error(`wanted ${wanted}: ${said}`)
	}
}

async function create(process, variables = {}) {
	const instance = await ask('create', 'instance', process, '--variables', JSON.stringify(variables))
	started.push(instance.processInstanceKey)
	return instance.processInstanceKey
}

async function activate(type) {
	const { jobs } = await eventually(async () => {
		const answer = await ask('activate', 'jobs', type, '--timeout', '1m', '--requestTimeout', '5s')
		return answer.jobs.length ? answer : undefined
	}, `a job of type ${type}`)
	return jobs[0]
}

async function cleanUp() {
	for (const key of started) {
		await zbctl('cancel', 'instance', `${key}`).catch(() => undefined)
	}
	started = []
}

/** A worker that answers every job with what its handler, a command, prints. */
function worker(type, handler, ...flags) {
	const args = ['--insecure', 'create', 'worker', type, '--handler', handler, ...flags]
	const child = spawn(program, args, { stdio: 'ignore' })
	return {
		stop: () => new Promise(resolve => {
			child.once('exit', resolve)
			child.kill('SIGKILL')
		}),
	}
}

async function workers(...flags) {
	await zbctl('deploy', 'resource', join(models, 'two-tasks.bpmn'))
	const all = [
		worker('check-stock', `echo {"reserved":"row-7"}`, ...flags),
		worker('make-payment', `echo {"paid":true}`, ...flags),
	]
	try {
		// A stream has to be open before its job is made.
		await pause(500)
		const found = await ask('create', 'instance', 'two-tasks', '--withResult', '--requestTimeout', '15s')
		equal(JSON.parse(found.variables), { paid: true, reserved: 'row-7' }, 'result')
	} finally {
		await Promise.all(all.map(one => one.stop()))
	}
}

const claims = [
	['status names the broker and its partitions', async () => {
		const found = await ask('status', '--output', 'json')
		equal(found.brokers.length, 1, 'brokers')
		equal(found.brokers[0].partitions.length, found.partitionsCount, 'partitions of the broker')
	}],

	['a model is deployed, and the same model again is no new version', async () => {
		const first = await ask('deploy', 'resource', join(models, 'one-task.bpmn'))
		const again = await ask('deploy', 'resource', join(models, 'one-task.bpmn'))
		const [one, two] = [first, again].map(answer => answer.deployments[0].process)
		equal([one.bpmnProcessId, one.version], ['one-task', 1], 'process and version')
		equal(two.processDefinitionKey, one.processDefinitionKey, 'key of the duplicate')
	}],

	['a broken model is refused', () => refused('InvalidArgument', 'deploy', 'resource', join(models, 'broken.bpmn'))],

	['a job is activated with its headers and variables, and completed', async () => {
		const instance = await create('one-task', { order: 'A-1' })
		const job = await activate('pack')
		equal([job.type, job.processInstanceKey], ['pack', instance], 'type and instance')
		equal([JSON.parse(job.customHeaders), JSON.parse(job.variables)], [{ box: 'small' }, { order: 'A-1' }],
			'headers and variables')
		await zbctl('complete', 'job', `${job.key}`, '--variables', '{"packed": true}')
		await refused('NotFound', 'complete', 'job', `${job.key}`)
	}],

	['two polling workers carry an instance to its end, and its result comes back', () => workers()],

	['two streaming workers carry an instance to its end, and its result comes back',
		() => workers('--streamEnabled')],

	['a job without retries raises an incident; more retries and a resolution go on', async () => {
		const instance = await create('one-task')
		const job = await activate('pack')
		await zbctl('fail', 'job', `${job.key}`, '--retries', '0', '--errorMessage', 'shelf is empty')
		const found = await incident(instance)
		equal([found.errorType, found.errorMessage], ['JOB_NO_RETRIES', 'shelf is empty'], 'incident')
		await refused('FailedPrecondition', 'resolve', 'incident', found.incidentKey)
		await zbctl('update', 'retries', `${job.key}`, '--retries', '1')
		await zbctl('resolve', 'incident', found.incidentKey)
		equal((await activate('pack')).key, job.key, 'the job that came again')
	}],

	['an error that nothing catches raises an incident', async () => {
		const instance = await create('one-task')
		const job = await activate('pack')
		await zbctl('throwError', 'job', `${job.key}`, '--errorCode', 'BOX')
		equal((await incident(instance)).errorType, 'UNHANDLED_ERROR_EVENT', 'type of the incident')
	}],

	['variables can be set while the instance waits', async () => {
		const instance = await create('one-task', { amount: 1 })
		await zbctl('set', 'variables', `${instance}`, '--variables', '{"amount": 2}')
		equal(JSON.parse((await activate('pack')).variables), { amount: 2 }, 'variables')
	}],

	['a cancelled instance is gone', async () => {
		const instance = await create('one-task')
		await zbctl('cancel', 'instance', `${instance}`)
		await refused('NotFound', 'cancel', 'instance', `${instance}`)
	}],

	['a process that nobody deployed is NOT_FOUND', () => refused('NotFound', 'create', 'instance', 'nobody-deployed-this')],

	['retries below one are INVALID_ARGUMENT', async () => {
		await create('one-task')
		const job = await activate('pack')
		await refused('InvalidArgument', 'update', 'retries', `${job.key}`, '--retries', '0')
	}],
]

tryAll('zbctl', claims, cleanUp)
