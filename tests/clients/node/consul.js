// What npm's consul can do, against the catalog in CONSUL_HTTP_ADDR.

const Consul = require('consul')
const { equal, eventually, pause, tryAll } = require('./claims')

const [host, port] = process.env.CONSUL_HTTP_ADDR.split(':')
const consul = new Consul({ host, port: Number(port) })

const ids = found => found.map(entry => entry.Service.ID)

/** Whether a key was written; the client gives nothing in the place of no. */
const written = async options => Boolean(await consul.kv.set(options))

/** What a watch tells, one after the other. */
function watched(options) {
	const told = []
	const watch = consul.watch({ maxAttempts: 1, ...options })
	watch.on('change', found => told.push(found))
	watch.on('error', error => told.push(error))
	return { told, end: () => watch.end() }
}

async function rejected(promise, status) {
	try {
		await promise
	} catch (error) {
		return equal(error.statusCode, status, 'the status')
	}
	throw new Error('it was not refused')
}

const claims = [
	['a watch is told how it is, and of each change', async () => {
		const watch = watched({ method: consul.health.service, options: { service: 'web', passing: true } })
		await eventually(() => watch.told.length === 1, 'the first state')
		equal(watch.told[0], [], 'the first state')
		await consul.agent.service.register({ name: 'web', id: 'js-1', port: 80, check: { ttl: '10s' } })
		await consul.agent.check.pass('service:js-1')
		await eventually(() => ids(watch.told.at(-1)).length === 1, 'the instance')
		equal(ids(watch.told.at(-1)), ['js-1'], 'who is well')
		await consul.agent.service.deregister('js-1')
		await eventually(() => watch.told.at(-1).length === 0, 'its end')
		watch.end()
		equal(watch.told.filter(found => found instanceof Error), [], 'errors of the watch')
	}],
	['a watch of a key hears of it, also when it is not there', async () => {
		const watch = watched({ method: consul.kv.get, options: { key: 'node/key' } })
		await pause(200)
		await consul.kv.set('node/key', 'one')
		await eventually(() => watch.told.at(-1)?.Value === 'one', 'the value')
		await consul.kv.set('node/key', 'two')
		await eventually(() => watch.told.at(-1)?.Value === 'two', 'the other value')
		await consul.kv.del('node/key')
		watch.end()
		equal(watch.told.filter(found => found instanceof Error), [], 'errors of the watch')
	}],
	['services are registered, listed and taken away', async () => {
		const check = { http: 'http://127.0.0.1:9/', interval: '10s', timeout: '1s' }
		await consul.agent.service.register({ name: 'shop', tags: ['v1'], meta: { a: 'b' }, port: 81, check })
		equal((await consul.agent.service.list()).shop.Tags, ['v1'], 'its tags')
		equal((await consul.catalog.service.list()).shop, ['v1'], 'its tags in the catalog')
		equal((await consul.catalog.service.nodes('shop'))[0].ServicePort, 81, 'its port')
		equal((await consul.health.checks('shop'))[0].Status, 'critical', 'its check')
		await consul.agent.service.maintenance({ id: 'shop', enable: true, reason: 'a new disk' })
		equal((await consul.health.checks('shop')).length, 2, 'checks in maintenance')
		await consul.agent.service.maintenance({ id: 'shop', enable: false })
		await consul.agent.service.deregister('shop')
		equal(await consul.catalog.service.nodes('shop'), [], 'instances')
	}],
	['checks of their own are registered and told of', async () => {
		await consul.agent.check.register({ name: 'disk', ttl: '10s' })
		await consul.agent.check.warn({ id: 'disk', note: 'it fills' })
		equal((await consul.agent.check.list()).disk.Status, 'warning', 'its status')
		equal((await consul.health.state('warning')).map(check => check.CheckID), ['disk'], 'warnings')
		await consul.agent.check.deregister('disk')
	}],
	['keys are written, compared, listed and removed', async () => {
		await consul.kv.set('a/b', 'hello')
		const found = await consul.kv.get('a/b')
		equal(found.Value, 'hello', 'the value')
		equal(await written({ key: 'a/b', value: 'x', cas: '0' }), false, 'a comparison that fails')
		equal(await written({ key: 'a/b', value: 'x', cas: `${found.ModifyIndex}` }), true, 'one that holds')
		equal(await consul.kv.keys('a/'), ['a/b'], 'keys')
		await consul.kv.del({ key: 'a/', recurse: true })
		equal(await consul.kv.get('a/b'), undefined, 'a key that is gone')
	}],
	['a key is held by one session at a time', async () => {
		const create = async name => (await consul.session.create({ name, ttl: '10s', lockdelay: '0s' })).ID
		const [one, two] = [await create('one'), await create('two')]
		equal(await written({ key: 'leader', value: '1', acquire: one }), true, 'the first')
		equal(await written({ key: 'leader', value: '2', acquire: two }), false, 'the second')
		equal((await consul.session.renew(one))[0].ID, one, 'a renewal')
		await consul.session.destroy(one)
		equal(await written({ key: 'leader', value: '2', acquire: two }), true, 'the second, after the first')
		await consul.session.destroy(two)
	}],
	['what is unknown is told to be', async () => {
		await rejected(consul.agent.service.deregister('none'), 404)
		await rejected(consul.agent.check.pass('none'), 404)
	}],
	['stale and consistent reads are taken', async () => {
		equal((await consul.catalog.node.list({ stale: true })).length, 1, 'nodes, stale')
		equal((await consul.catalog.node.list({ consistent: true })).length, 1, 'nodes, consistent')
	}],
	['who answers is told', async () => {
		equal((await consul.agent.self()).Config.Datacenter, 'dc1', 'the data centre')
		equal(await consul.catalog.datacenters(), ['dc1'], 'data centres')
		equal((await consul.status.peers()).includes(await consul.status.leader()), true, 'the leader')
	}],
]

tryAll('consul', claims, async () => {})
