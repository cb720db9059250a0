// What zeebe-node can do, against the gateway in ZEEBE_ADDRESS. It has no streaming.

const { join } = require('path')
const { ZBClient } = require('zeebe-node')
const { equal, eventually, incident, status, tryAll } = require('./claims')

const INVALID_ARGUMENT = 3
const NOT_FOUND = 5
const FAILED_PRECONDITION = 9
const models = process.env.MODELS

// Without retries, so that a refusal is seen as it came.
const client = new ZBClient(process.env.ZEEBE_ADDRESS, {
	retry: false,
	loglevel: 'NONE',
	longPoll: 1000,
	useTLS: false,
})

let started = []
let workers = []

async function create(bpmnProcessId, variables = {}) {
	const instance = await client.createProcessInstance({ bpmnProcessId, variables })
	started.push(instance.processInstanceKey)
	return instance.processInstanceKey
}

async function activate(type, fetchVariable = []) {
	const jobs = await client.activateJobs({
		type,
		worker: 'scenario',
		timeout: 60_000,
		maxJobsToActivate: 1,
		requestTimeout: 5_000,
		fetchVariable,
	})
	if (jobs.length !== 1) {
		throw new Error(`${jobs.length} jobs of type ${type} within 5 s`)
	}
	return jobs[0]
}

function work(taskType, taskHandler) {
	workers.push(client.createWorker({ taskType, taskHandler }))
}

async function cleanUp() {
	await Promise.all(workers.map(worker => worker.close(1000)))
	workers = []
	for (const key of started) {
		await client.cancelProcessInstance(key).catch(() => undefined)
	}
	started = []
}

const claims = [
	['topology names one broker that leads its partitions', async () => {
		const found = await client.topology()
		equal(found.brokers.length, 1, 'brokers')
		equal(found.brokers[0].partitions.length, found.partitionsCount, 'partitions of the broker')
		equal(found.brokers[0].partitions[0].role, 'LEADER', 'role')
	}],

	['a model is deployed, and the same model again is no new version', async () => {
		const processFilename = join(models, 'one-task.bpmn')
		const first = (await client.deployResource({ processFilename })).deployments[0].process
		const again = (await client.deployResource({ processFilename })).deployments[0].process
		equal([first.bpmnProcessId, first.version], ['one-task', 1], 'process and version')
		equal(again.processDefinitionKey, first.processDefinitionKey, 'key of the duplicate')
	}],

	['the old call for deployments works', async () => {
		const found = await client.deployProcess(join(models, 'two-tasks.bpmn'))
		equal([found.processes[0].bpmnProcessId, found.processes[0].version], ['two-tasks', 1], 'process')
	}],

	['a broken model is refused', async () => {
		const processFilename = join(models, 'broken.bpmn')
		equal(await status(client.deployResource({ processFilename })), INVALID_ARGUMENT, 'status')
	}],

	['a polled job has its type, headers, retries and variables', async () => {
		const instance = await create('one-task', { order: 'A-1', amount: 12 })
		const job = await activate('pack')
		equal([job.type, job.processInstanceKey], ['pack', instance], 'type and instance')
		equal([job.customHeaders, job.retries], [{ box: 'small' }, 3], 'headers and retries')
		equal([job.variables.order, job.variables.amount], ['A-1', 12], 'variables')
		await client.completeJob({ jobKey: job.key, variables: { packed: true } })
		equal(await status(client.completeJob({ jobKey: job.key, variables: {} })), NOT_FOUND, 'a second time')
	}],

	['two workers carry an instance to its end, and its result comes back', async () => {
		let seen
		work('check-stock', job => job.complete({ reserved: `${job.variables.item} in row 7` }))
		work('make-payment', job => {
			seen = job.variables.reserved
			return job.complete({ paid: true })
		})
		const result = await client.createProcessInstanceWithResult({
			bpmnProcessId: 'two-tasks',
			variables: { item: 'lamp' },
			requestTimeout: 15_000,
		})
		equal(seen, 'lamp in row 7', 'what the second worker saw')
		equal([result.variables.item, result.variables.reserved, result.variables.paid],
			['lamp', 'lamp in row 7', true], 'result')
	}],

	['a worker that fails to the last retry raises an incident; more retries and a resolution go on', async () => {
		const tries = []
		work('pack', job => {
			tries.push(job.retries)
			return tries.length <= 3 ? job.fail('shelf is empty') : job.complete({ packed: true })
		})
		const instance = await create('one-task')
		const found = await incident(instance)
		equal(found.errorType, 'JOB_NO_RETRIES', 'type of the incident')
		const resolve = () => client.resolveIncident({ incidentKey: found.incidentKey })
		equal(await status(resolve()), FAILED_PRECONDITION, 'without retries')
		await client.updateJobRetries({ jobKey: found.jobKey, retries: 1 })
		await resolve()
		await eventually(() => tries.length === 4, 'the fourth try')
		equal(tries, [3, 2, 1, 1], 'retries that the worker saw')
	}],

	['an error that nothing catches raises an incident', async () => {
		const instance = await create('one-task')
		const job = await activate('pack')
		await client.throwError({ jobKey: job.key, errorCode: 'BOX', errorMessage: 'no such box' })
		equal((await incident(instance)).errorType, 'UNHANDLED_ERROR_EVENT', 'type of the incident')
	}],

	['variables can be set while the instance waits', async () => {
		const instance = await create('one-task', { amount: 1 })
		await client.setVariables({ elementInstanceKey: instance, variables: { amount: 2 }, local: false })
		equal((await activate('pack')).variables.amount, 2, 'amount')
	}],

	['a cancelled instance is gone, with its job', async () => {
		const instance = await create('one-task')
		const job = await activate('pack')
		await client.cancelProcessInstance(instance)
		equal(await status(client.completeJob({ jobKey: job.key, variables: {} })), NOT_FOUND, 'its job')
		equal(await status(client.cancelProcessInstance(instance)), NOT_FOUND, 'a second time')
	}],

	['a process that nobody deployed is NOT_FOUND', async () => {
		equal(await status(create('nobody-deployed-this')), NOT_FOUND, 'status')
	}],

	['variables that are no JSON object are INVALID_ARGUMENT', async () => {
		equal(await status(create('one-task', [1])), INVALID_ARGUMENT, 'status')
	}],
]

tryAll('zeebe-node', claims, cleanUp)
