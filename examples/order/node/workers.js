// The two workers of the order process, in JavaScript. The gateway's address is in ZEEBE_ADDRESS.

const { ZBClient } = require('zeebe-node')

const PRICE = 20
const client = new ZBClient(process.env.ZEEBE_ADDRESS ?? '127.0.0.1:26500', { useTLS: false })

client.createWorker({
	taskType: 'check-stock',
	taskHandler: job => {
		const { items } = job.variables
		console.log(`job ${job.key}: ${items} items reserved in warehouse ${job.customHeaders.warehouse}`)
		return job.complete({ reserved: items })
	},
})

client.createWorker({
	taskType: 'make-payment',
	taskHandler: job => {
		const amount = job.variables.quantity * PRICE
		console.log(`job ${job.key}: ${amount} ${job.customHeaders.currency} paid`)
		return job.complete({ paid: true, amount })
	},
})

process.on('SIGINT', () => client.close().then(() => process.exit()))
