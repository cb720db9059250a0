// What the gRPC client of the Camunda SDK can do, against the gateway in ZEEBE_ADDRESS.

const { join } = require('path')
const { Camunda8 } = require('@camunda8/sdk')
const { equal, eventually, incident, pause, status, tryAll } = require('./claims')

const INVALID_ARGUMENT = 3
const NOT_FOUND = 5
const ALREADY_EXISTS = 6
const FAILED_PRECONDITION = 9
const models = process.env.MODELS

// What it writes about jobs that are meant to fail is no part of the report.
console.error = console.warn = () => undefined

// Without retries, so that a refusal is seen as it came.
const client = new Camunda8({
	ZEEBE_GRPC_ADDRESS: `grpc://${process.env.ZEEBE_ADDRESS}`,
	CAMUNDA_AUTH_STRATEGY: 'NONE',
	CAMUNDA_LOG_LEVEL: 'none',
	zeebeGrpcSettings: {
		ZEEBE_CLIENT_LOG_LEVEL: 'NONE',
		ZEEBE_GRPC_CLIENT_RETRY: false,
		ZEEBE_GRPC_WORKER_LONGPOLL_SECONDS: 1,
	},
}).getZeebeGrpcApiClient()

let started = []
let closing = []

const deploy = async file => (await client.deployResource({ processFilename: join(models, file) })).deployments[0].process

async function create(bpmnProcessId, variables = {}, more = {}) {
	const instance = await client.createProcessInstance({ bpmnProcessId, variables, ...more })
	started.push(instance.processInstanceKey)
	return instance.processInstanceKey
}

async function activate(type) {
	const jobs = await client.activateJobs({
		type,
		worker: 'scenario',
		timeout: 60_000,
		maxJobsToActivate: 1,
		requestTimeout: 5_000,
	})
	equal(jobs.length, 1, `jobs of type ${type} within 5 s`)
	return jobs[0]
}

const complete = (job, variables = {}) => client.completeJob({ jobKey: job.key, variables })

function poll(taskType, taskHandler) {
	const worker = client.createWorker({ taskType, taskHandler })
	closing.push(() => worker.close(1000))
}

async function stream(type, taskHandler) {
	const streamed = await client.streamJobs({ type, worker: 'scenario', timeout: 60_000, taskHandler })
	closing.push(() => streamed.close())
}

async function cleanUp() {
	await Promise.all(closing.map(close => close()))
	closing = []
	for (const key of started) {
		await client.cancelProcessInstance(key).catch(() => undefined)
	}
	started = []
}

/** Two workers, made by `work`, carry an instance to its end. */
async function twoWorkers(work) {
	let seen
	await work('check-stock', job => job.complete({ reserved: `${job.variables.item} in row 7` }))
	await work('make-payment', job => {
		seen = job.variables.reserved
		return job.complete({ paid: true })
	})
	// A stream has to be open before its job is made.
	await pause(500)
	const result = await client.createProcessInstanceWithResult({
		bpmnProcessId: 'two-tasks',
		variables: { item: 'lamp' },
		fetchVariables: ['reserved', 'paid'],
		requestTimeout: 15_000,
	})
	equal(seen, 'lamp in row 7', 'what the second worker saw')
	equal({ ...result.variables }, { reserved: 'lamp in row 7', paid: true }, 'result')
}

const claims = [
	['topology names one broker that leads its partitions', async () => {
		const found = await client.topology()
		equal(found.brokers.length, 1, 'brokers')
		equal(found.brokers[0].partitions.length, found.partitionsCount, 'partitions of the broker')
		equal(found.brokers[0].partitions[0].role, 'LEADER', 'role')
	}],

	['models are deployed one by one and together, and the same model again is no new version', async () => {
		const first = await deploy('one-task.bpmn')
		equal([first.bpmnProcessId, first.version], ['one-task', 1], 'process and version')
		const files = ['one-task.bpmn', 'two-tasks.bpmn', 'waits.bpmn']
		const resources = files.map(file => ({ processFilename: join(models, file) }))
		const processes = (await client.deployResources(resources)).deployments.map(one => one.process)
		equal(processes.map(one => one.bpmnProcessId), ['one-task', 'two-tasks', 'waits'], 'processes')
		const again = await deploy('waits.bpmn')
		equal(again.processDefinitionKey, processes[2].processDefinitionKey, 'key of the duplicate')
	}],

	['a broken model is refused', async () => {
		equal(await status(deploy('broken.bpmn')), INVALID_ARGUMENT, 'status')
	}],

	['a polled job has its headers, retries and variables, and is completed once', async () => {
		const instance = await create('one-task', { order: 'A-1', amount: 12 })
		const job = await activate('pack')
		equal([job.processInstanceKey, job.elementId, job.retries], [instance, 'pack', 3], 'instance, element, retries')
		equal([{ ...job.customHeaders }, { ...job.variables }], [{ box: 'small' }, { order: 'A-1', amount: 12 }],
			'headers and variables')
		await complete(job)
		equal(await status(complete(job)), NOT_FOUND, 'a second time')
	}],

	['two polling workers carry an instance to its end, and its result comes back', () => twoWorkers(poll)],

	['two streaming workers carry an instance to its end, and its result comes back', () => twoWorkers(stream)],

	['an instance starts before the element that is named', async () => {
		const instance = await create('two-tasks', {}, { startInstructions: [{ elementId: 'pay' }] })
		equal((await activate('make-payment')).processInstanceKey, instance, "instance of the second task's job")
	}],

	['a failed job comes again after its back-off', async () => {
		await create('one-task')
		const job = await activate('pack')
		const failed = performance.now()
		await client.failJob({ jobKey: job.key, retries: 2, errorMessage: 'wait', retryBackOff: 300, variables: { tried: 1 } })
		const again = await activate('pack')
		equal([again.key, again.retries, again.variables.tried], [job.key, 2, 1], 'job')
		equal(performance.now() - failed > 250, true, 'that it came after its back-off')
	}],

	['a worker that fails to the last retry raises an incident; more retries and a resolution go on', async () => {
		const tries = []
		poll('pack', job => {
			tries.push(job.retries)
			return tries.length <= 3 ? job.fail('shelf is empty') : job.complete({ packed: true })
		})
		const found = await incident(await create('one-task'))
		equal([found.errorType, found.errorMessage], ['JOB_NO_RETRIES', 'shelf is empty'], 'incident')
		const resolve = () => client.resolveIncident({ incidentKey: found.incidentKey })
		equal(await status(resolve()), FAILED_PRECONDITION, 'without retries')
		await client.updateJobRetries({ jobKey: found.jobKey, retries: 1 })
		await resolve()
		await eventually(() => tries.length === 4, 'the fourth try')
		equal(tries, [3, 2, 1, 1], 'retries that the worker saw')
	}],

	['a job whose time is cut short comes again', async () => {
		await create('one-task')
		const job = await activate('pack')
		await client.updateJobTimeout({ jobKey: job.key, timeout: 100 })
		equal((await activate('pack')).key, job.key, 'the job that came again')
	}],

	['variables can be set while the instance waits', async () => {
		const instance = await create('one-task', { amount: 1 })
		await client.setVariables({ elementInstanceKey: instance, variables: { amount: 2 }, local: false })
		equal((await activate('pack')).variables.amount, 2, 'amount')
	}],

	['a message goes to the instance with its key, once for each message id', async () => {
		await create('waits', { order: 'A-1' })
		const other = await create('waits', { order: 'A-2' })
		const message = { name: 'payment', correlationKey: 'A-2', timeToLive: 60_000, messageId: 'one', variables: { paid: 7 } }
		await client.publishMessage(message)
		const job = await activate('ship')
		equal([job.processInstanceKey, job.variables.paid], [other, 7], 'job')
		equal(await status(client.publishMessage(message)), ALREADY_EXISTS, 'the same message again')
	}],

	['a message starts an instance', async () => {
		await deploy('started.bpmn')
		await client.publishStartMessage({ name: 'order', timeToLive: 0, variables: { order: 'S-1' } })
		const job = await activate('accept')
		started.push(job.processInstanceKey)
		equal(job.variables.order, 'S-1', 'variable')
	}],

	['a signal goes to all who wait for it', async () => {
		const waiting = [await create('waits', { order: 'B-1' }), await create('waits', { order: 'B-2' })]
		await client.broadcastSignal({ signalName: 'alarm', variables: { loud: true } })
		const jobs = [await activate('ship'), await activate('ship')]
		equal(jobs.map(job => job.processInstanceKey).sort(), waiting.sort(), 'instances')
		equal(jobs.map(job => job.variables.loud), [true, true], 'variable')
	}],

	['a thrown error goes to the boundary event that catches it', async () => {
		const instance = await create('waits', { order: 'C-1' })
		await client.publishMessage({ name: 'payment', correlationKey: 'C-1', timeToLive: 0, variables: {} })
		await client.throwError({ jobKey: (await activate('ship')).key, errorCode: 'BOX', errorMessage: 'no box' })
		equal((await activate('repair')).processInstanceKey, instance, 'instance of the job after the error')
	}],

	['a token is moved by hand', async () => {
		const processInstanceKey = await create('two-tasks')
		const job = await activate('check-stock')
		await client.modifyProcessInstance({
			processInstanceKey,
			activateInstructions: [{
				elementId: 'pay',
				ancestorElementInstanceKey: '-1',
				variableInstructions: [{ variables: { moved: true }, scopeId: '' }],
			}],
			terminateInstructions: [{ elementInstanceKey: job.elementInstanceKey }],
		})
		equal((await activate('make-payment')).variables.moved, true, 'variable of the other job')
		equal(await status(complete(job)), NOT_FOUND, 'the job that was left')
	}],

	['an instance goes on with another definition', async () => {
		const processInstanceKey = await create('one-task')
		const job = await activate('pack')
		await client.migrateProcessInstance({
			processInstanceKey,
			migrationPlan: {
				targetProcessDefinitionKey: (await deploy('two-tasks.bpmn')).processDefinitionKey,
				mappingInstructions: [{ sourceElementId: 'pack', targetElementId: 'check' }],
			},
		})
		await complete(job)
		equal((await activate('make-payment')).processInstanceKey, processInstanceKey, "instance of the next task's job")
	}],

	['a cancelled instance is gone, with its job', async () => {
		const instance = await create('one-task')
		const job = await activate('pack')
		await client.cancelProcessInstance(instance)
		equal(await status(complete(job)), NOT_FOUND, 'its job')
		equal(await status(client.cancelProcessInstance(instance)), NOT_FOUND, 'a second time')
	}],

	['a decision is evaluated, and says which rule matched', async () => {
		const { deployments } = await client.deployResource({ decisionFilename: join(models, 'discount.dmn') })
		const { decisionKey } = deployments.find(one => one.decision).decision
		const found = await client.evaluateDecision({ decisionKey, variables: { amount: 120 } })
		equal(found.decisionOutput, '15', 'output')
		equal(found.evaluatedDecisions[0].matchedRules.map(rule => rule.ruleId), ['large'], 'rules')
	}],

	['a deleted definition makes no more instances', async () => {
		const { processDefinitionKey: resourceKey } = await deploy('waits.bpmn')
		await client.deleteResource({ resourceKey })
		equal(await status(create('waits')), NOT_FOUND, 'creation')
		equal(await status(client.deleteResource({ resourceKey })), NOT_FOUND, 'a second time')
	}],
]

tryAll('camunda-sdk', claims, cleanUp)
