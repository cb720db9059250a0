"""The two workers of the order process, in Python. The gateway's address is in ZEEBE_ADDRESS."""

import asyncio

from pyzeebe import Job, ZeebeWorker, create_insecure_channel

PRICE = 20


async def main():
    worker = ZeebeWorker(create_insecure_channel(), name="python", stream_enabled=True)

    @worker.task(task_type="check-stock")
    async def check_stock(job: Job, items: int) -> dict:
        print(f"job {job.key}: {items} items reserved in warehouse {job.custom_headers['warehouse']}")
        return {"reserved": items}

    @worker.task(task_type="make-payment")
    async def make_payment(job: Job, quantity: int) -> dict:
        amount = quantity * PRICE
        print(f"job {job.key}: {amount} {job.custom_headers['currency']} paid")
        return {"paid": True, "amount": amount}

    await worker.work()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
