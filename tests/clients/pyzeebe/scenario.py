"""What pyzeebe can do, against the gateway in ZEEBE_ADDRESS."""

import asyncio
import json
import logging
import os
import sys
from contextlib import asynccontextmanager

import grpc
from pyzeebe import Job, JobController, ZeebeClient, ZeebeWorker, create_insecure_channel
from pyzeebe.errors import InvalidJSONError, ProcessDefinitionNotFoundError, ProcessInstanceNotFoundError
from pyzeebe.errors import ProcessInvalidError
from pyzeebe.grpc_internals.zeebe_adapter import ZeebeAdapter
from pyzeebe.proto import gateway_pb2 as pb
from pyzeebe.proto.gateway_pb2_grpc import GatewayStub

MODELS = os.environ["MODELS"]
PROGRAM = os.environ["CORETO_PROGRAM"]
STEP_SECONDS = 20

CLAIMS = []


def claim(text):
    def register(function):
        CLAIMS.append((text, function))
        return function

    return register


class Bench:
    """A channel with the clients on it, and the instances that a claim has started."""

    def __init__(self):
        self.channel = create_insecure_channel()
        self.client = ZeebeClient(self.channel)
        self.adapter = ZeebeAdapter(self.channel)
        self.stub = GatewayStub(self.channel)
        self.started = []

    async def create(self, process="one-task", variables=None):
        instance = await self.client.run_process(process, variables or {})
        self.started.append(instance.process_instance_key)
        return instance.process_instance_key

    async def clean(self):
        for key in self.started:
            try:
                await self.client.cancel_process_instance(key)
            except ProcessInstanceNotFoundError:
                pass
        self.started.clear()

    async def activate(self, job_type, variables=(), timeout_ms=60_000):
        jobs = self.adapter.activate_jobs(job_type, "scenario", timeout_ms, 1, list(variables), 5_000)
        async for job in jobs:
            return job
        raise AssertionError(f"no job of type {job_type} came within 5 s")

    @asynccontextmanager
    async def working(self, worker):
        task = asyncio.create_task(worker.work())
        try:
            yield
        finally:
            await worker.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def new_worker(self, stream=False):
        return ZeebeWorker(self.channel, name="scenario", request_timeout=1_000, stream_enabled=stream)

    async def incidents(self, instance):
        """Unresolved incidents of an instance; waits until there is one."""
        for _ in range(50):
            process = await asyncio.create_subprocess_exec(
                PROGRAM, "get", "incidents", "--json", "--instance", str(instance),
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
            assert process.returncode == 0, f"get incidents ended with {process.returncode}"
            found = json.loads(output)
            if found:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError("no incident within 5 s")

    async def status(self, call):
        """The gRPC status of a call that must be refused."""
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"


def equal(found, wanted, what):
    assert found == wanted, f"{what}: found {found!r}, wanted {wanted!r}"


@claim("topology names one broker that leads its partitions")
async def topology(bench):
    found = await bench.client.topology()
    equal(len(found.brokers), 1, "brokers")
    equal(len(found.brokers[0].partitions), found.partitions_count, "partitions of the broker")
    assert found.gateway_version.startswith("8."), f"gateway version {found.gateway_version!r}"


@claim("the health service says SERVING")
async def health(bench):
    equal((await bench.client.healthcheck()).status, 1, "status")


@claim("a model is deployed, and the same model again is no new version")
async def deploy(bench):
    path = os.path.join(MODELS, "one-task.bpmn")
    first = (await bench.client.deploy_resource(path)).deployments[0]
    again = (await bench.client.deploy_resource(path)).deployments[0]
    equal((first.bpmn_process_id, first.version), ("one-task", 1), "process and version")
    equal(again.process_definition_key, first.process_definition_key, "key of the duplicate")


@claim("a broken model is refused")
async def deploy_broken(bench):
    path = os.path.join(MODELS, "broken.bpmn")
    try:
        await bench.client.deploy_resource(path)
    except ProcessInvalidError:
        return
    raise AssertionError("it was accepted")


@claim("a polled job has its type, headers, retries and variables")
async def poll(bench):
    instance = await bench.create(variables={"order": "A-1", "amount": 12})
    job = await bench.activate("pack")
    equal((job.type, job.process_instance_key), ("pack", instance), "type and instance")
    equal((job.bpmn_process_id, job.element_id), ("one-task", "pack"), "process and element")
    equal((job.custom_headers, job.retries), ({"box": "small"}, 3), "headers and retries")
    equal(dict(job.variables), {"order": "A-1", "amount": 12}, "variables")
    await bench.adapter.complete_job(job.key, {"packed": True})
    bench.started.clear()


@claim("only the variables asked for are fetched")
async def fetch(bench):
    await bench.create(variables={"order": "A-1", "amount": 12})
    job = await bench.activate("pack", ["amount"])
    equal(dict(job.variables), {"amount": 12}, "variables")


async def two_workers(bench, stream):
    await bench.client.deploy_resource(os.path.join(MODELS, "two-tasks.bpmn"))
    seen = {}
    worker = bench.new_worker(stream)

    @worker.task(task_type="check-stock")
    async def check_stock(item: str) -> dict:
        return {"reserved": f"{item} in row 7"}

    @worker.task(task_type="make-payment")
    async def make_payment(job: Job) -> dict:
        seen.update(job.variables)
        return {"paid": True}

    async with bench.working(worker):
        result = await bench.client.run_process_with_result(
            "two-tasks", {"item": "lamp"}, timeout=15_000, variables_to_fetch=["reserved", "paid"]
        )
    equal(seen.get("reserved"), "lamp in row 7", "what the second worker saw")
    equal(result.variables, {"reserved": "lamp in row 7", "paid": True}, "result")


@claim("two polling workers carry an instance to its end, and its result comes back")
async def polling_workers(bench):
    await two_workers(bench, stream=False)


@claim("two streaming workers carry an instance to its end, and its result comes back")
async def streaming_workers(bench):
    await two_workers(bench, stream=True)


@claim("a job is pushed through a stream, without any poll")
async def stream(bench):
    # The adapter's generator leaves its call open when it is closed, and would be pushed the jobs of later claims.
    call = bench.stub.StreamActivatedJobs(
        pb.StreamActivatedJobsRequest(type="pack", worker="scenario", timeout=60_000)
    )
    pushed = asyncio.create_task(call.read())
    await asyncio.sleep(0.3)
    instance = await bench.create(variables={"order": "A-2"})
    job = await pushed
    equal((job.processInstanceKey, json.loads(job.variables)), (instance, {"order": "A-2"}), "job")
    await bench.adapter.complete_job(job.key, {})
    call.cancel()
    bench.started.clear()


@claim("a worker that fails to the last retry raises an incident; more retries and a resolution go on")
async def incident(bench):
    tries, worker = [], bench.new_worker()

    async def fail(error: Exception, job: Job, controller: JobController) -> None:
        await controller.set_failure_status(f"no box: {error}")

    @worker.task(task_type="pack", exception_handler=fail)
    async def pack(job: Job) -> dict:
        tries.append(job.retries)
        if len(tries) <= 3:
            raise RuntimeError("shelf is empty")
        return {"packed": True}

    async with bench.working(worker):
        instance = await bench.create()
        found = (await bench.incidents(instance))[0]
        equal(found["errorType"], "JOB_NO_RETRIES", "type of the incident")
        assert "no box: shelf is empty" in found["errorMessage"], found["errorMessage"]
        resolve = pb.ResolveIncidentRequest(incidentKey=int(found["incidentKey"]))
        equal(await bench.status(bench.stub.ResolveIncident(resolve)), "FAILED_PRECONDITION", "without retries")
        await bench.stub.UpdateJobRetries(pb.UpdateJobRetriesRequest(jobKey=int(found["jobKey"]), retries=1))
        await bench.stub.ResolveIncident(resolve)
        for _ in range(50):
            if len(tries) == 4:
                break
            await asyncio.sleep(0.1)
    equal(tries, [3, 2, 1, 1], "retries that the worker saw")
    equal(await bench.status(bench.stub.ResolveIncident(resolve)), "NOT_FOUND", "a second resolution")


@claim("an error that nothing catches raises an incident")
async def throw_error(bench):
    instance = await bench.create()
    job = await bench.activate("pack")
    await bench.adapter.throw_error(job.key, "no such box", {}, "BOX")
    found = (await bench.incidents(instance))[0]
    equal(found["errorType"], "UNHANDLED_ERROR_EVENT", "type of the incident")


@claim("variables can be set while the instance waits")
async def set_variables(bench):
    instance = await bench.create(variables={"amount": 1})
    await bench.stub.SetVariables(
        pb.SetVariablesRequest(elementInstanceKey=instance, variables='{"amount": 2, "note": "late"}')
    )
    job = await bench.activate("pack")
    equal(dict(job.variables), {"amount": 2, "note": "late"}, "variables")


@claim("a cancelled instance is gone, with its job")
async def cancel(bench):
    instance = await bench.create()
    job = await bench.activate("pack")
    await bench.client.cancel_process_instance(instance)
    bench.started.clear()
    complete = bench.stub.CompleteJob(pb.CompleteJobRequest(jobKey=job.key, variables="{}"))
    equal(await bench.status(complete), "NOT_FOUND", "completing its job")
    try:
        await bench.client.cancel_process_instance(instance)
    except ProcessInstanceNotFoundError:
        return
    raise AssertionError("it was cancelled twice")


@claim("a process that nobody deployed is NOT_FOUND")
async def unknown_process(bench):
    try:
        await bench.client.run_process("nobody-deployed-this")
    except ProcessDefinitionNotFoundError:
        return
    raise AssertionError("it was created")


@claim("variables that are no JSON object are INVALID_ARGUMENT")
async def bad_json(bench):
    for text in ("{", "[1]", "7", '{"a": 1} x'):
        request = pb.CreateProcessInstanceRequest(bpmnProcessId="one-task", version=-1, variables=text)
        equal(await bench.status(bench.stub.CreateProcessInstance(request)), "INVALID_ARGUMENT", text)
    try:
        await bench.client.run_process("one-task", [1])
    except InvalidJSONError:
        return
    raise AssertionError("a list was taken for variables")


@claim("another tenant is INVALID_ARGUMENT")
async def tenant(bench):
    request = pb.CreateProcessInstanceRequest(bpmnProcessId="one-task", version=-1, tenantId="north")
    equal(await bench.status(bench.stub.CreateProcessInstance(request)), "INVALID_ARGUMENT", "status")


async def main():
    # What a worker logs about jobs that are meant to fail is no part of the report.
    logging.disable(logging.CRITICAL)
    bench, failed = Bench(), 0
    for text, function in CLAIMS:
        try:
            await asyncio.wait_for(function(bench), STEP_SECONDS)
            print(f"PASS pyzeebe: {text}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL pyzeebe: {text}: {type(error).__name__}: {error}", flush=True)
        try:
            await asyncio.wait_for(bench.clean(), STEP_SECONDS)
        except Exception as error:
            print(f"note pyzeebe: cannot clean up: {type(error).__name__}: {error}", flush=True)
    await bench.channel.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
