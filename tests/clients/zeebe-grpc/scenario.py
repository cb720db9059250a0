"""Every call of the stubs in zeebe-grpc, against the gateway in ZEEBE_ADDRESS."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import grpc
from zeebe_grpc import gateway_pb2 as pb
from zeebe_grpc.gateway_pb2_grpc import GatewayStub

MODELS = Path(os.environ["MODELS"])
PROGRAM = os.environ["CORETO_PROGRAM"]
STEP_SECONDS = 20

CLAIMS = []


def claim(text):
    def register(function):
        CLAIMS.append((text, function))
        return function

    return register


class Bench:
    """The stub, which calls of it were answered, and the instances that a claim has started."""

    def __init__(self):
        self.channel = grpc.insecure_channel(os.environ["ZEEBE_ADDRESS"])
        self.stub = GatewayStub(self.channel)
        self.answered = set()
        self.started = []

    def call(self, name, /, **fields):
        """One call, whose request message is named after it."""
        request = getattr(pb, f"{name}Request")(**fields)
        answer = getattr(self.stub, name)(request, timeout=STEP_SECONDS)
        self.answered.add(name)
        return answer

    def refused(self, name, /, **fields):
        """The gRPC status of a call that must be refused."""
        try:
            self.call(name, **fields)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"

    def deploy(self, file):
        resource = pb.Resource(name=file, content=(MODELS / file).read_bytes())
        return self.call("DeployResource", resources=[resource]).deployments

    def create(self, process, variables=None, **fields):
        instance = self.call(
            "CreateProcessInstance", bpmnProcessId=process, version=-1, variables=json.dumps(variables or {}), **fields
        )
        self.started.append(instance.processInstanceKey)
        return instance.processInstanceKey

    def activate(self, job_type, timeout_ms=60_000):
        answers = self.call(
            "ActivateJobs",
            type=job_type, worker="scenario", timeout=timeout_ms, maxJobsToActivate=1, requestTimeout=5_000,
        )
        for answer in answers:
            for job in answer.jobs:
                return job
        raise AssertionError(f"no job of type {job_type} came within 5 s")

    def complete(self, job):
        self.call("CompleteJob", jobKey=job.key, variables="{}")

    def incident(self, instance):
        """The first unresolved incident of an instance; waits until there is one."""
        for _ in range(50):
            command = [PROGRAM, "get", "incidents", "--json", "--instance", str(instance)]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=10).stdout)
            if found:
                return found[0]
            time.sleep(0.1)
        raise AssertionError("no incident within 5 s")

    def clean(self):
        for key in self.started:
            try:
                self.stub.CancelProcessInstance(
                    pb.CancelProcessInstanceRequest(processInstanceKey=key), timeout=STEP_SECONDS
                )
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise
        self.started.clear()


def equal(found, wanted, what):
    assert found == wanted, f"{what}: found {found!r}, wanted {wanted!r}"


@claim("topology names one broker that leads its partitions")
def topology(bench):
    found = bench.call("Topology")
    equal(len(found.brokers), 1, "brokers")
    equal({partition.role for partition in found.brokers[0].partitions}, {pb.Partition.LEADER}, "roles")
    equal(len(found.brokers[0].partitions), found.partitionsCount, "partitions of the broker")


@claim("models are deployed by the call of today and by the old one")
def deploy(bench):
    first = bench.deploy("one-task.bpmn")[0].process
    again = bench.deploy("one-task.bpmn")[0].process
    equal((first.bpmnProcessId, first.version), ("one-task", 1), "process and version")
    equal(again.processDefinitionKey, first.processDefinitionKey, "key of the duplicate")
    equal(bench.deploy("waits.bpmn")[0].process.bpmnProcessId, "waits", "process that waits")
    old = pb.ProcessRequestObject(name="two-tasks.bpmn", definition=(MODELS / "two-tasks.bpmn").read_bytes())
    found = bench.call("DeployProcess", processes=[old]).processes[0]
    equal((found.bpmnProcessId, found.version), ("two-tasks", 1), "process of the old call")


@claim("a broken model is INVALID_ARGUMENT")
def deploy_broken(bench):
    resource = pb.Resource(name="broken.bpmn", content=(MODELS / "broken.bpmn").read_bytes())
    equal(bench.refused("DeployResource", resources=[resource]), "INVALID_ARGUMENT", "status")


@claim("a job has its headers, retries and variables, and is completed once")
def complete(bench):
    instance = bench.create("one-task", {"order": "A-1"})
    job = bench.activate("pack")
    equal((job.processInstanceKey, job.elementId, job.retries), (instance, "pack", 3), "instance, element, retries")
    equal(json.loads(job.customHeaders), {"box": "small"}, "headers")
    equal(json.loads(job.variables), {"order": "A-1"}, "variables")
    bench.complete(job)
    equal(bench.refused("CompleteJob", jobKey=job.key, variables="{}"), "NOT_FOUND", "a second time")


@claim("a stream gets a job without any poll, and its completion brings the result")
def stream(bench):
    pushed = bench.stub.StreamActivatedJobs(
        pb.StreamActivatedJobsRequest(type="pack", worker="scenario", timeout=60_000), timeout=STEP_SECONDS
    )
    time.sleep(0.3)
    request = pb.CreateProcessInstanceRequest(bpmnProcessId="one-task", version=-1, variables='{"a": 1, "b": 2}')
    result = bench.stub.CreateProcessInstanceWithResult.future(
        pb.CreateProcessInstanceWithResultRequest(request=request, requestTimeout=15_000, fetchVariables=["b", "c"]),
        timeout=STEP_SECONDS,
    )
    job = next(pushed)
    pushed.cancel()
    bench.call("CompleteJob", jobKey=job.key, variables='{"c": 3}')
    equal(json.loads(result.result().variables), {"b": 2, "c": 3}, "result")
    bench.answered |= {"StreamActivatedJobs", "CreateProcessInstanceWithResult"}


@claim("an instance starts before the element that is named")
def start_instruction(bench):
    instruction = pb.ProcessInstanceCreationStartInstruction(elementId="pay")
    instance = bench.create("two-tasks", startInstructions=[instruction])
    equal(bench.activate("make-payment").processInstanceKey, instance, "instance of the second task's job")


@claim("a failed job comes again after its back-off, with its message's variables")
def fail(bench):
    bench.create("one-task")
    job = bench.activate("pack")
    bench.call("FailJob", jobKey=job.key, retries=2, retryBackOff=300, errorMessage="wait", variables='{"tried": 1}')
    failed = time.monotonic()
    again = bench.activate("pack")
    assert time.monotonic() - failed > 0.25, "it came before its back-off was over"
    equal((again.key, again.retries, json.loads(again.variables)), (job.key, 2, {"tried": 1}), "job")


@claim("a job without retries raises an incident; more retries and a resolution go on")
def incident(bench):
    instance = bench.create("one-task")
    job = bench.activate("pack")
    bench.call("FailJob", jobKey=job.key, retries=0, errorMessage="shelf is empty")
    found = bench.incident(instance)
    equal((found["errorType"], found["errorMessage"]), ("JOB_NO_RETRIES", "shelf is empty"), "incident")
    key = int(found["incidentKey"])
    equal(bench.refused("ResolveIncident", incidentKey=key), "FAILED_PRECONDITION", "without retries")
    bench.call("UpdateJobRetries", jobKey=job.key, retries=1)
    bench.call("ResolveIncident", incidentKey=key)
    equal(bench.activate("pack").key, job.key, "the job that came again")


@claim("a job whose time is cut short comes again")
def update_timeout(bench):
    bench.create("one-task")
    job = bench.activate("pack")
    bench.call("UpdateJobTimeout", jobKey=job.key, timeout=100)
    equal(bench.activate("pack").key, job.key, "the job that came again")


@claim("variables can be set while the instance waits")
def set_variables(bench):
    instance = bench.create("one-task", {"amount": 1})
    bench.call("SetVariables", elementInstanceKey=instance, variables='{"amount": 2}')
    equal(json.loads(bench.activate("pack").variables), {"amount": 2}, "variables")


@claim("a message goes to the instance with its key, once for each message id")
def message(bench):
    bench.create("waits", {"order": "A-1"})
    other = bench.create("waits", {"order": "A-2"})
    fields = {"name": "payment", "correlationKey": "A-2", "timeToLive": 60_000, "messageId": "one"}
    bench.call("PublishMessage", variables='{"paid": 7}', **fields)
    job = bench.activate("ship")
    equal((job.processInstanceKey, json.loads(job.variables)), (other, {"order": "A-2", "paid": 7}), "job")
    equal(bench.refused("PublishMessage", **fields), "ALREADY_EXISTS", "the same message again")


@claim("a signal goes to all who wait for it")
def signal(bench):
    waiting = {bench.create("waits", {"order": order}) for order in ("B-1", "B-2")}
    bench.call("BroadcastSignal", signalName="alarm", variables='{"loud": true}')
    jobs = [bench.activate("ship") for _ in waiting]
    equal({job.processInstanceKey for job in jobs}, waiting, "instances")
    equal([json.loads(job.variables)["loud"] for job in jobs], [True, True], "variable")


@claim("a thrown error goes to the boundary event that catches it")
def throw_error(bench):
    instance = bench.create("waits", {"order": "C-1"})
    bench.call("PublishMessage", name="payment", correlationKey="C-1")
    job = bench.activate("ship")
    bench.call("ThrowError", jobKey=job.key, errorCode="BOX", errorMessage="no box")
    equal(bench.activate("repair").processInstanceKey, instance, "instance of the job after the error")


@claim("a token is moved by hand")
def modify(bench):
    instance = bench.create("two-tasks")
    job = bench.activate("check-stock")
    modify = pb.ModifyProcessInstanceRequest
    values = modify.VariableInstruction(variables='{"moved": true}')
    bench.call(
        "ModifyProcessInstance",
        processInstanceKey=instance,
        activateInstructions=[modify.ActivateInstruction(elementId="pay", variableInstructions=[values])],
        terminateInstructions=[modify.TerminateInstruction(elementInstanceKey=job.elementInstanceKey)],
    )
    equal(json.loads(bench.activate("make-payment").variables), {"moved": True}, "variables of the other job")
    equal(bench.refused("CompleteJob", jobKey=job.key), "NOT_FOUND", "the job that was left")


@claim("an instance goes on with another definition")
def migrate(bench):
    instance = bench.create("one-task")
    job = bench.activate("pack")
    target = bench.deploy("two-tasks.bpmn")[0].process.processDefinitionKey
    migrate = pb.MigrateProcessInstanceRequest
    mapping = migrate.MappingInstruction(sourceElementId="pack", targetElementId="check")
    plan = migrate.MigrationPlan(targetProcessDefinitionKey=target, mappingInstructions=[mapping])
    bench.call("MigrateProcessInstance", processInstanceKey=instance, migrationPlan=plan)
    bench.complete(job)
    equal(bench.activate("make-payment").processInstanceKey, instance, "instance of the next task's job")


@claim("a cancelled instance is gone, with its job")
def cancel(bench):
    instance = bench.create("one-task")
    job = bench.activate("pack")
    bench.call("CancelProcessInstance", processInstanceKey=instance)
    equal(bench.refused("CompleteJob", jobKey=job.key), "NOT_FOUND", "its job")
    equal(bench.refused("CancelProcessInstance", processInstanceKey=instance), "NOT_FOUND", "a second time")


@claim("a decision is evaluated by its id and by its key, and says which rule matched")
def decision(bench):
    deployed = next(one.decision for one in bench.deploy("discount.dmn") if one.HasField("decision"))
    equal((deployed.dmnDecisionId, deployed.version), ("discount", 1), "decision and version")
    for which in ({"decisionId": "discount"}, {"decisionKey": deployed.decisionKey}):
        found = bench.call("EvaluateDecision", variables='{"amount": 120}', **which)
        equal(json.loads(found.decisionOutput), 15, "output")
        equal([rule.ruleId for rule in found.evaluatedDecisions[0].matchedRules], ["large"], "rules")


@claim("a deleted definition makes no more instances")
def delete(bench):
    key = bench.deploy("waits.bpmn")[0].process.processDefinitionKey
    bench.call("DeleteResource", resourceKey=key)
    equal(bench.refused("CreateProcessInstance", bpmnProcessId="waits", version=-1), "NOT_FOUND", "creation")
    equal(bench.refused("DeleteResource", resourceKey=key), "NOT_FOUND", "a second time")


@claim("these were all calls that the stubs have")
def all_calls(bench):
    known = {method.name for method in pb.DESCRIPTOR.services_by_name["Gateway"].methods}
    equal(known - bench.answered, set(), "calls without an answer")


def main():
    bench, failed = Bench(), 0
    for text, function in CLAIMS:
        try:
            function(bench)
            print(f"PASS zeebe-grpc: {text}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL zeebe-grpc: {text}: {type(error).__name__}: {error}", flush=True)
        try:
            bench.clean()
        except grpc.RpcError as error:
            print(f"note zeebe-grpc: cannot clean up: {error.code().name}", flush=True)
    bench.channel.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
