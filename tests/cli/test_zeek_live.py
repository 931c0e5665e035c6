#!/usr/bin/env python3
"""leat zeek agent, controller and client against each other, and against what Zeek's own client says."""

import contextlib
import json
import resource
import signal
import socket
import sys
import time

from broker import HIGH, LOW, PLAIN, Connector, Listener, RawPeer, Shell, count, free_port, text, ways
from cli import DIALECTS, OPENSSL, ROOT, VECTORS, Result, Tap, leat, strict, temporary
from live import PATIENCE, Program, folder, read_exactly, run, until
from zeek import (AGENT, CONTROLLER, UUID, Agent, Controller, Frames, ask, brief, configuration, deploy, failure,
                  instance, node, plain, success, without)

# How the nodes of most tests do.
NODES = {"nodes": {
    "manager": {"pid": 11, "values": {"Cluster::node": "manager"}},
    "worker-01": {"pid": 12, "start_ms": 100, "values": {"Cluster::node": "worker-01", "Any::value": {"a": [1, None]}}},
}}
ONE = configuration("one", [instance("agent-1")], [node("manager", "agent-1", "MANAGER"), node("worker-01", "agent-1")])


@contextlib.contextmanager
def cluster(*arguments, nodes=NODES, **options):
    """A controller, and an agent that it knows."""
    with Controller(*arguments, **options) as controller:
        with Agent("agent-1", connect=controller.address, nodes=nodes) as agent:
            controller.instance("known", "agent-1")
            yield controller, agent


def status(name, state="RUNNING", pid=None, role="WORKER", p=None, metrics_port=None, mgmt_role="NONE"):
    """What get-nodes tells of a node."""
    return {"node": name, "state": f"Management::{state}", "mgmt_role": f"Management::{mgmt_role}",
            "cluster_role": f"Supervisor::{role}", "pid": pid, "p": p, "metrics_port": metrics_port}


def self_of(agent, name, p=None):
    return status(name, pid=agent.process.pid, role="NONE", mgmt_role="AGENT", p=p)


def deployed(config, *nodes):
    """What a deployment gives in which each of these nodes of an instance went well."""
    return (0, ("stage_configuration_response", {"results": [success(config["id"])]}),
            ("deploy_response", {"results": [success(node=name, instance=where) for where, name in nodes] +
                                 [success(config["id"])]}))


def vector(*values):
    return {"@data-type": "vector", "data": list(values)}


def errors(response):
    return [result["error"] for result in response[1]["results"]]


# The story of a cluster

def nobody(tap):
    """A controller without agents."""
    with Controller() as controller:
        for words, error in [
            (["get-nodes"], "no instances connected"),
            (["deploy"], "no configuration available to deploy"),
            (["get-id-value", "Cluster::node"], "no cluster deployed"),
            (["restart"], "no instances connected"),
        ]:
            code, (name, value) = ask(controller, *words)
            tap.same(" ".join(words), (code, name, value),
                     (1, words[0].replace("-", "_") + "_response", {"results": [failure(error)]}))
        for words, error in [(["get-config"], "no staged configuration available"),
                             (["get-config", "--deployed"], "no deployed configuration available")]:
            tap.same(" ".join(words), ask(controller, *words),
                     (1, ("get_configuration_response", {"result": failure(error)})))
        tap.same("get-instances", ask(controller, "get-instances"),
                 (0, ("get_instances_response", {"result": success([])})))
        bad = configuration("bad", [instance("a", listen_port="2151/tcp"), instance("a", host="10.0.0.1")], [
            node("a", "a"), node("m", "a", "MANAGER", p="2151/tcp"), node("w", "b"), node("w", "b", interface="x"),
            node("p", "a", "PROXY", p=f"{controller.port}/tcp")])
        code, response = ask(controller, "stage-config", "-", data=json.dumps(bad))
        tap.same("what is wrong with a configuration", (code, errors(response)), (1, [
            "multiple instances named 'a'", "multiple nodes named 'w'", "node 'm' port 2151/tcp conflicts with agent "
            "port on instance 'a'", f"node 'p' port {controller.port}/tcp conflicts with controller port",
            "node 'w' has undeclared instance name 'b'", "node 'w' has undeclared instance name 'b'",
            "node and instance names collide: a"]))
        tap.same("it is not deployed after that", len(deploy(controller, bad)), 2)
        tap.same("an empty configuration", deploy(controller, configuration("empty", [], [])),
                 deployed(configuration("empty", [], [])))
        names = [event["event"] for event in controller.wait_all(lambda events: len(events) > 22 and events, "events")]
        tap.same("the controller printed it all", [brief(name) for name in names[:6]],
                 ["get_nodes_request", "get_nodes_response", "deploy_request", "deploy_response",
                  "get_id_value_request", "get_id_value_response"])
        tap.same("it stops", (controller.finish(), controller.err.text().count("\n")), (0, 2))


def story(tap):
    """One agent, from its hello to a restart."""
    slow = {"nodes": {**NODES["nodes"], "worker-01": {**NODES["nodes"]["worker-01"], "start_ms": 1500}}}
    with cluster(nodes=slow) as (controller, agent):
        tap.same("get-instances", ask(controller, "get-instances"),
                 (0, ("get_instances_response", {"result": success([instance("agent-1", "127.0.0.1")])})))
        tap.same("get-nodes", ask(controller, "get-nodes"),
                 (0, ("get_nodes_response", {"results": [success([self_of(agent, "agent-1")], None, "agent-1")]})))
        tap.same("restart", ask(controller, "restart"),
                 (1, ("restart_response", {"results": [failure("no active cluster deployment")]})))
        tap.same("stage-config", ask(controller, "stage-config", temporary(json.dumps(ONE))),
                 (0, ("stage_configuration_response", {"results": [success("one")]})))
        tap.same("get-config", ask(controller, "get-config"),
                 (0, ("get_configuration_response", {"result": success(ONE)})))
        tap.same("deploy", ask(controller, "deploy"), (0, deployed(ONE, ("agent-1", "manager"),
                                                                   ("agent-1", "worker-01"))[2]))
        again = ask(controller, "deploy")
        tap.same("deploy what is deployed", again, (0, ("deploy_response", {"results": [
            success(instance="agent-1"), success("one")]})))
        whole = configuration("one", [instance("agent-1", "127.0.0.1")], [
            node("manager", "agent-1", "MANAGER", p="2200/tcp", metrics_port="9000/tcp"),
            node("worker-01", "agent-1", metrics_port="9001/tcp")])
        tap.same("get-config --deployed", ask(controller, "get-config", "--deployed"),
                 (0, ("get_configuration_response", {"result": success(whole)})))
        running = [self_of(agent, "agent-1"), status("manager", pid=11, role="MANAGER", p="2200/tcp",
                                                     metrics_port="9000/tcp"),
                   status("worker-01", pid=12, metrics_port="9001/tcp")]
        tap.same("get-nodes", ask(controller, "get-nodes"),
                 (0, ("get_nodes_response", {"results": [success(running, None, "agent-1")]})))
        tap.same("get-id-value", ask(controller, "get-id-value", "Cluster::node"), (0, ("get_id_value_response", {
            "results": [success(f'"{name}"', name, "agent-1") for name in ("manager", "worker-01")]})))
        tap.same("of one node, any value", ask(controller, "get-id-value", "Any::value", "worker-01"), (
            0, ("get_id_value_response", {"results": [success('{"a":[1,null]}', "worker-01", "agent-1")]})))
        tap.same("unknown to one", ask(controller, "get-id-value", "Any::value"), (1, ("get_id_value_response", {
            "results": [failure("unknown id", "manager", "agent-1"),
                        success('{"a":[1,null]}', "worker-01", "agent-1")]})))
        tap.same("of a node that is none", ask(controller, "get-id-value", "Cluster::node", "manager", "smoke"), (
            1, ("get_id_value_response", {"results": [failure("unknown cluster node", "smoke"),
                                                      success('"manager"', "manager", "agent-1")]})))
        controller.say({"event": "restart_request", "reqid": "a", "nodes": ["worker-01"]},
                       {"event": "get_id_value_request", "reqid": "b", "id": "Cluster::node", "nodes": ["worker-01"]})
        told = [controller.response(name, reqid) for name, reqid in (("restart", "a"), ("get_id_value", "b"))]
        tap.same("restart, and a node that is starting", [without(value["results"], "reqid") for value in told],
                 [[success(None, "worker-01", "agent-1")],
                  [failure("cluster node worker-01 not in running state", "worker-01", "agent-1")]])
        tap.same("restart what is none", ask(controller, "restart", "smoke"), (1, ("restart_response", {
            "results": [failure("unknown cluster node", "smoke")]})))
        changes = [(change["n"]["name"], change["old"][12:], change["new"][12:])
                   for change in controller.told("notify_change", 4)]
        tap.same("what befell the nodes", changes, [
            ("manager", "PENDING", "RUNNING"), ("worker-01", "PENDING", "RUNNING"), ("worker-01", "RUNNING", "PENDING"),
            ("worker-01", "PENDING", "RUNNING")])
        requests = [(brief(e["event"]), e["value"]["request"]) for e in agent.wait_all(lambda events: events, "events")
                    if "request" in e["value"] and e["event"] != "answer"]
        tap.same("what the agent was asked", requests, [(name, number + 1) for number, name in enumerate([
            "get_nodes_request", "agent_welcome_request", "deploy_request", "get_nodes_request",
            "node_dispatch_request", "node_dispatch_request", "node_dispatch_request", "node_dispatch_request",
            "restart_request"])])
        answers = agent.told("answer")
        tap.same("what it answered", [answers[2], answers[5]], [
            {"request": 3, "answer": [{"node": "manager", "success": True}, {"node": "worker-01", "success": True}]},
            {"request": 6, "answer": [{"node": "worker-01", "success": True, "data": '{"a":[1,null]}'}]}])
        tap.same("a new configuration without nodes", deploy(controller, configuration(
            "none", [instance("agent-1")], []))[2], ("deploy_response", {"results": [success(instance="agent-1"),
                                                                                     success("none")]}))
        tap.same("and without the agent", deploy(controller, configuration("empty", [], [])),
                 deployed(configuration("empty", [], [])))
        agent.told("agent_standby_request")
        controller.say({"instances": True})
        tap.same("it is known still", controller.told("instances"), [[{
            **instance("agent-1", "127.0.0.1"), "known": True, "wanted": False, "ready": False}]])
        tap.same("both stop", (agent.finish(), agent.err.text(), controller.finish()), (0, "", 0))
        names = {event["event"] for program in (agent, controller) for event in program.events()}
        tap.same("nothing of peerings is printed", {name for name in names if "::" not in name},
                 {"instance", "configuration", "instances", "answer"})


def failing(tap):
    """Nodes that do not come up, in time or at all, or crash."""
    nodes = {"nodes": {"m": {}, "w1": {"state": "FAILED", "error": "failed to create node w1", "stderr": "fatal"},
                       "w2": {"start_ms": 1500}, "*": {"state": "Management::CRASHED", "stdout": "out"}}}
    config = configuration("f", [instance("agent-1")], [node("m", "agent-1", "MANAGER"), node("w1", "agent-1"),
                                                       node("w2", "agent-1"), node("w3", "agent-1")])
    with cluster(nodes=nodes) as (controller, _):
        code, _, response = deploy(controller, config)
        tap.same("a deployment", (code, response), (1, ("deploy_response", {"results": [
            success(None, "m", "agent-1"),
            failure("failed to create node w1", "w1", "agent-1", {"stdout": "", "stderr": "fatal"}),
            success(None, "w2", "agent-1"), failure(None, "w3", "agent-1", {"stdout": "out", "stderr": ""}),
            success("f")]})))
        tap.same("an error is told", controller.told("notify_error"),
                 [{"instance": "agent-1", "msg": "failed to create node w1", "node": "w1"}])
        states = lambda: [(entry["node"], entry["state"][12:], entry["pid"])  # noqa: E731
                          for entry in ask(controller, "get-nodes")[1][1]["results"][0]["data"][1:]]
        tap.same("what get-nodes tells", states(), [("m", "RUNNING", 1001), ("w1", "FAILED", None),
                                                    ("w2", "RUNNING", 1002), ("w3", "CRASHED", None)])
        controller.say({"event": "restart_request", "reqid": "a", "nodes": ["w1", "w2"]},
                       {"event": "get_nodes_request", "reqid": "b"})
        tap.same("restart", without(controller.response("restart", "a")["results"], "reqid"), [
            failure("could not restart node w1", "w1", "agent-1"), success(None, "w2", "agent-1")])
        told = controller.response("get_nodes", "b")["results"][0]["data"]
        tap.same("one does not come up again", [entry["state"][12:] for entry in told[1:]],
                 ["RUNNING", "FAILED", "PENDING", "CRASHED"])
        until(lambda: ("w2", "RUNNING", 1003) in states(), "w2 again")


def late(tap):
    """Nodes that are decided when the time of their deployment is over, and one that is stopped before it crashes."""
    nodes = {"nodes": {"w0": {"state": "FAILED"}, "w1": {"crash_ms": 100}, "w2": {"start_ms": 1000},
                       "w3": {"start_ms": 1000, "state": "FAILED"}, "w4": {"crash_ms": 2000}}}
    config = configuration("c", [instance("agent-1")], [node(f"w{i}", "agent-1") for i in range(4)])
    with Controller() as controller, Agent("agent-1", "--timeout", "0.5", connect=controller.address,
                                           nodes=nodes) as agent:
        controller.instance("known", "agent-1")
        code, _, response = deploy(controller, config)
        tap.same("nodes that are late", (code, errors(response), [r["node"] for r in response[1]["results"]]),
                 (1, ["request timed out", *[None] * 5], [None, "w0", "w1", "w2", "w3", None]))
        tap.same("the agent tells of it", agent.told("timed_out")[0]["event"], AGENT + "deploy_request")
        changes = [(change["n"]["name"], change["new"][12:]) for change in controller.told("notify_change", 5)]
        tap.same("what befell them, in the end", sorted(changes, key=lambda change: change[0]), [
            ("w0", "FAILED"), ("w1", "RUNNING"), ("w1", "CRASHED"), ("w2", "RUNNING"), ("w3", "FAILED")])
        tap.check("what comes too late is no answer", "answer" not in [brief(e["event"]) for e in agent.wait_all(
            lambda events: events[3:], "events")], agent.out.lines)
        deploy(controller, configuration("d", [instance("agent-1")], [node("w4", "agent-1")]))
        deploy(controller, configuration("empty", [], []))
        time.sleep(2.2)
        tap.same("it has stopped", [change["new"][12:] for change in controller.told("notify_change", 7)
                                    if change["n"]["name"] == "w4"][-1], "STOPPED")
        tap.same("nothing is complained of", (agent.finish(), agent.err.text()), (0, ""))


def two_agents(tap):
    """One of them is dropped, and one waits for the controller to connect."""
    with Controller() as controller, Agent("agent-1", connect=controller.address, nodes={"nodes": {}}) as first, \
            Agent("agent-2", listen="127.0.0.1:0", nodes={"nodes": {"*": {"values": {"x": 1}}}}) as second:
        port = second.port_of()
        controller.instance("known", "agent-1")
        where = instance("agent-2", "127.0.0.1", f"{port}/tcp")
        config = configuration("two", [instance("agent-1"), where], [
            node("l", "agent-2", "LOGGER"), node("m", "agent-1", "MANAGER"), node("w", "agent-2")])
        code, _, response = deploy(controller, config)
        results = response[1]["results"][:-1]
        tap.same("both are deployed to", (code, sorted((result["instance"], result["node"]) for result in results)),
                 (0, [("agent-1", "m"), ("agent-2", "l"), ("agent-2", "w")]))
        tap.same("get-instances", ask(controller, "get-instances")[1][1]["result"]["data"],
                 [instance("agent-1", "127.0.0.1"), where])
        code, response = ask(controller, "get-nodes")
        results = {result["instance"]: result["data"] for result in response[1]["results"]}
        tap.same("each tells of its own", {name: [entry["node"] for entry in data] for name, data in results.items()},
                 {"agent-1": ["agent-1", "m"], "agent-2": ["agent-2", "l", "w"]})
        tap.same("one tells its port", results["agent-2"][0], self_of(second, "agent-2", f"{port}/tcp"))
        code, response = ask(controller, "get-id-value", "x", "w", "m")
        tap.same("get-id-value", (code, sorted((r["node"], r["data"], r["error"]) for r in response[1]["results"])),
                 (1, [("m", None, "unknown id"), ("w", "1", None)]))
        alone = configuration("alone", [instance("agent-1")], [node("m", "agent-1", "MANAGER")])
        tap.same("one is dropped", deploy(controller, alone)[2][1]["results"][:-1], [success(None, "m", "agent-1")])
        second.told("agent_standby_request")
        tap.same("it is still known", len(ask(controller, "get-instances")[1][1]["result"]["data"]), 2)
        tap.same("it comes back", deploy(controller, {**config, "id": "again"})[0], 0)
        tap.same("all stop", [first.finish(), second.stop(), controller.stop(signal.SIGTERM)], [0, 0, 0])


def killed(tap):
    """kill -9 of an agent, then of the controller: the deployment lasts."""
    state = folder() / "deployed.json"
    listen, websocket = (f"127.0.0.1:{free_port()}" for _ in range(2))
    places = {"listen": listen, "websocket": websocket}
    with contextlib.ExitStack() as stack:
        controller = stack.enter_context(Controller("--state", state, **places))
        tap.check("there is no state yet", not state.exists())
        first = stack.enter_context(Agent("agent-1", connect=listen, nodes=NODES))
        controller.instance("known", "agent-1")
        deploy(controller, ONE)
        kept = strict(state.read_text())
        tap.same("what was deployed is kept", kept, controller.told("configuration", 2)[1]["configuration"])
        result = leat("zeek", "controller", "--state", state, "--listen", "127.0.0.1:0", "--websocket", "127.0.0.1:0",
                      *PLAIN)
        tap.check("nobody else may have the file", result.code == 2 and "another program has it" in result.err,
                  result.err)
        first.process.kill()
        controller.instance("lost", "agent-1")
        tap.same("there is no agent", ask(controller, "get-instances")[1][1]["result"], success([]))
        second = stack.enter_context(Agent("agent-1", connect=listen, nodes=NODES))
        controller.instance("ready", "agent-1", 2)
        tap.same("who comes in its place is told all", without(second.told("deploy_request")[0]["config"], "reqid"),
                 kept)
        until(lambda: ask(controller, "get-nodes")[1][1]["results"][0]["data"][-1]["pid"] == 12, "nodes again")
        controller.process.kill()
        controller.process.wait()
        tap.same("nobody is there", run("zeek", "client", websocket, "get-nodes", "--attempts", "1").code, 1)
        controller = stack.enter_context(Controller("--state", state, **places))
        controller.instance("ready", "agent-1")
        tap.same("the next one knows all", ask(controller, "get-config", "--deployed"),
                 (0, ("get_configuration_response", {"result": success(kept)})))
        tap.same("and nothing of what was staged", ask(controller, "get-config")[0], 1)
        tap.same("nodes are as they were", [entry["pid"] for entry in ask(controller, "get-nodes")[1][1]["results"][0][
            "data"]], [second.process.pid, 11, 12])
        controller.finish()
        tap.check("the agent was told once", len(second.told("deploy_request")) == 1, second.out.lines)
    for name, content in [("nothing", ""), ("no object", "[1]"), ("another object", '{"id":1}'),
                          ("half of it", state.read_text()[:100])]:
        state.write_text(content)
        result = leat("zeek", "controller", "--state", state, "--listen", "127.0.0.1:0", "--websocket", "127.0.0.1:0",
                      *PLAIN)
        tap.check(f"a state of {name}", result.code == 2 and str(state) in result.err and result.out == b"", result.err)
        tap.same("it stays", state.read_text(), content)


def small_files():
    """As on a full disk: what is written to a file fails."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))


def full_disk(tap):
    """A deployment that cannot be kept ends the controller, before anybody is told of it; the one before is kept."""
    state = folder() / "deployed.json"
    state.write_text(json.dumps({"id": "old", "instances": [], "nodes": []}))
    kept = state.read_text()
    with Controller("--state", state, preexec_fn=small_files) as controller:
        empty = json.dumps(configuration("new", [], []))
        result = leat("zeek", "client", controller.clients, "deploy-config", "-", data=empty)
        tap.same("a client is told nothing", (result.code, [brief(name) for name in result.names()]),
                 (1, ["stage_configuration_response"]))
        tap.same("it ends", controller.end(), 2)
        tap.check("and says why", f"{state}.tmp: File too large" in controller.err.text(), controller.err.text())
    tap.same("what was kept is there", state.read_text(), kept)
    with Controller("--state", state) as controller:
        tap.same("it is taken again", ask(controller, "get-config", "--deployed")[1][1]["result"]["data"]["id"], "old")


def strange_text(tap):
    """A text that is not UTF-8, as native peers can say it, is deployed; but there is no JSON to keep it in."""
    state = folder() / "deployed.json"
    empty = {"@data-type": "set", "data": []}
    message = vector(count(1), count(1), vector(text(CONTROLLER + "stage_configuration_request"), vector(
        text("r"), vector(text("\x01"), empty, empty))))
    octets = bytes.fromhex(leat("encode", "broker-data", data=json.dumps(message)).out.decode())
    with Controller("--state", state) as controller, RawPeer(controller.port) as peer:
        peer.send("zeek/management/controller", octets.replace(b"\5\1\1", b"\5\1\xff"))
        controller.told("stage_configuration_response")
        controller.say({"event": "deploy_request", "reqid": "x"})
        tap.same("it is deployed", controller.told("deploy_response")[0]["results"][0]["data"], {"hex": "ff"})
        controller.err.find(f"{state}: stays as it was: a text that was deployed is not UTF-8")
        tap.check("and not kept", not state.exists())
        peer.send("zeek/management/controller", octets)
        controller.told("stage_configuration_response", 2)
        controller.say({"event": "deploy_request", "reqid": "y"})
        controller.told("deploy_response", 2)
        tap.same("the next one is", strict(state.read_text()), configuration("\x01", [], []))


def silence(tap):
    """Agents that answer late, or never, or refuse; and what the input says instead."""
    with Controller("--timeout", "1") as controller, Agent("agent-1", "--timeout", "3", connect=controller.address,
                                                          ) as agent:
        controller.instance("known", "agent-1")
        code, _, response = deploy(controller, ONE)
        tap.same("no welcome", (code, response[1]["results"][-1]), (1, failure("request timed out")))
        request = agent.told("agent_welcome_request")[0]["request"]
        agent.say({"request": request})
        controller.instance("ready", "agent-1")
        tap.same("a welcome, and then no answer", [errors(ask(controller, *words)[1]) for words in (
            ["deploy"], ["get-nodes"], ["restart"])], [["request timed out"], ["request timed out"],
                                                       ["no active cluster deployment"]])
        late = agent.told("deploy_request")[-1]["request"]
        agent.told("timed_out", 1)
        agent.say({"request": late})
        tap.same("too late", agent.refused(2), "there is no such request that waits")
        tap.same("timeouts are told", {event["event"] for event in controller.told("timed_out", 3)},
                 {CONTROLLER + "deploy_request", CONTROLLER + "get_nodes_request"})
        tap.same("test-timeout", ask(controller, "test-timeout", "--with-state"),
                 (1, ("test_timeout_response", {"result": failure("request timed out")})))
        result = leat("zeek", "client", controller.clients, "test-timeout", "--timeout", "0.3")
        tap.same("without state nobody answers", (result.code, result.out, result.err),
                 (1, b"", "leat: no response within 300 ms\n"))
        tap.same("what was asked", [request["with_state"] for request in controller.told("test_timeout_request", 2)],
                 [True, False])
    with Controller() as controller, Agent("agent-1", connect=controller.address,
                                           nodes={"nodes": {}, "refuse_welcome": "not today"}) as agent:
        controller.instance("known", "agent-1")
        deployment = json.dumps(ONE)
        result = leat("zeek", "client", controller.clients, "--timeout", "2", "deploy-config", "-", data=deployment)
        tap.check("a refused welcome", result.code == 1 and controller.instance("refused", "agent-1"), result.err)
        agent.told("agent_standby_request")
        code, response = ask(controller, "deploy")
        tap.check("another deployment", code == 1 and errors(response)[0].startswith("earlier deployment "), response)


def idle(tap):
    """Who has heard nothing for long gives who comes then as much time as anybody."""
    with Controller() as first, Controller() as second, cluster("--timeout", "5") as (controller, _), \
            Connector(controller.address, *PLAIN) as peer:
        peer.told("peer_added")
        time.sleep(10.5)  # longer than a handshake or an answer may take
        tap.same("a client", ask(first, "get-instances", "--attempts", "1")[0], 0)
        with RawPeer(second.port) as raw:
            tap.check("a peer", raw.other)
        peer.say({"topic": "zeek/management/controller", "event": CONTROLLER + "get_nodes_request", "args": ["r"]})
        tap.same("a request", controller.told("get_nodes_response")[0]["results"][0]["error"], None)


def long_names(tap):
    """A node is named as a whole, however long its name is."""
    name = "\u20ac" * 200
    with cluster(nodes={"nodes": {name: {"state": "FAILED"}}}) as (controller, _):
        deploy(controller, configuration("long", [instance("agent-1")], [node(name, "agent-1")]))
        tap.same("an error", errors(ask(controller, "restart", name)[1]), [f"could not restart node {name}"])


def options(tap):
    """What else can be said on the command line."""
    nodes = [node("m", "agent-1", "MANAGER"), node("w", "agent-1"), node("x", "agent-1", "PROXY", p="3001/tcp")]
    config = configuration("ports", [instance("agent-1")], nodes)
    for words, ports in [
        (["--broker-ports", "3000", "--metrics-ports", "4000"], [("3000/tcp", "4000/tcp"), (None, "4002/tcp"),
                                                                 ("3001/tcp", "4001/tcp")]),
        (["--metrics-ports", "0", "--broker-ports", "3001"], [("3002/tcp", None), (None, None), ("3001/tcp", None)]),
    ]:
        with cluster(*words) as (controller, agent):
            tap.same(" ".join(words), (deploy(controller, config)[0], [
                (entry["p"], entry["metrics_port"]) for entry in agent.told("deploy_request")[0]["config"]["nodes"]]),
                     (0, ports))
    with Controller("--broker-ports", "0") as controller:
        tap.same("nodes must have ports", errors(deploy(controller, config)[1]),
                 ["Broker port auto-assignment disabled but nodes m lack ports"])
    with Controller("--id", LOW, "--peerings") as controller:
        with Agent("agent-1", "--id", HIGH, "--peerings", connect=controller.address, listen="127.0.0.1:0",
                   nodes=NODES) as agent:
            tap.same("the id of an agent", controller.instance("known", "agent-1")["id"], HIGH)
            tap.same("peerings of both", [event["endpoint"]["id"] for event in (
                controller.told("peer_added")[0], agent.told("peer_added")[0])], [HIGH, LOW])
            tap.same("who connects tells no port", ask(controller, "get-nodes")[1][1]["results"][0]["data"],
                     [self_of(agent, "agent-1")])
            controller.told("upgrade")
            with Connector(f"127.0.0.1:{agent.port_of()}", "--subscribe", "zeek/management/agent", "--plain",
                           *PLAIN) as peer:
                tap.same("its own peers hear of it, too", peer.messages(),
                         [{"topic": "zeek/management/agent/agent-1", "event": AGENT + "notify_agent_hello",
                           "args": ["agent-1", HIGH, True, 1]}])
            agent.finish()
        controller.told("peer_lost")
    result = leat("zeek", "controller", "--state", "/nowhere/file", "--listen", "127.0.0.1:0", "--websocket",
                  "127.0.0.1:0", *PLAIN)
    tap.check("a state nowhere", result.code == 2 and "/nowhere/file" in result.err, result.err)


# Lines of the input

def answers(tap):
    """An agent that is answered for by hand."""
    with Controller() as controller, Agent("agent-1", "--peerings", connect=controller.address) as agent:
        agent.told("peer_added")
        controller.instance("known", "agent-1")
        controller.say({"event": "stage_configuration_request", "reqid": "a", "config": ONE},
                       {"event": CONTROLLER + "deploy_request", "reqid": "b"})
        agent.say({"request": agent.told("agent_welcome_request")[0]["request"], "answer": {"success": True}})
        request = agent.told("deploy_request")[0]
        tap.same("what the agent is to run", [entry["name"] for entry in request["own"]], ["manager", "worker-01"])
        lines = [
            ('{"request":"x"}', "not a number: request"),
            ('{"request":99}', "there is no such request that waits"),
            ('{"request":%d,"answer":null}' % request["request"], "not an answer to this request"),
            ('{"request":%d,"answer":[{"node":"smoke"}]}' % request["request"], "not an answer to this request"),
            ('{"request":1,"reply":1}', "a field that is not known: reply"),
            ('{"node":"manager","state":"SMOKING"}', "not a state: state"),
            ('{"node":"manager"}', "not a state: state"),
            ('{"node":"smoke","state":"RUNNING"}', "there is no such node"),
            ('{"node":"manager","state":"RUNNING","pid":-1}', "not a process id: pid"),
            ('{"node":"manager","state":"RUNNING","pid":2147483648}', "not a process id: pid"),
            ('{"node":"manager","state":"RUNNING","p":1}', "a field that is not known: p"),
            ('{"notify_error":1}', "not a text: notify_error"),
            ('{"notify_log":"x","node":1}', "not a text: notify_log"),
            ('{"notify_log":"x","instance":"y"}', "a field that is not known: instance"),
            ("{}", "neither a message nor a command"),
            ("[]", "not an object"),
        ]
        agent.say(*[line for line, _ in lines])
        for number, (line, problem) in enumerate(lines):
            tap.same(f"refused: {line}", agent.refused(number + 2), problem)
        agent.say({"node": "manager", "state": "RUNNING", "pid": 5}, {"notify_error": "smoke", "node": "manager"},
                  {"notify_log": "all well"}, {"request": request["request"], "answer": [
                      {"node": "manager"}, {"node": "worker-01", "success": False, "error": "why",
                                            "data": {"stdout": "1", "stderr": "2"}}]})
        response = controller.told("deploy_response")[0]
        tap.same("the answer", (response["reqid"], without(response["results"], "reqid")[:2]), ("b", [
            success(None, "manager", "agent-1"), failure("why", "worker-01", "agent-1", {"stdout": "1",
                                                                                        "stderr": "2"})]))
        tap.same("what was notified", controller.told("notify_error") + controller.told("notify_log"), [
            {"instance": "agent-1", "msg": "smoke", "node": "manager"},
            {"instance": "agent-1", "msg": "all well", "node": ""}])
        controller.say({"event": "get_id_value_request", "reqid": "c", "id": "x", "nodes": []})
        agent.say({"request": agent.told("node_dispatch_request")[0]["request"], "answer": [
            {"node": "manager", "data": "[1]"}]})
        results = controller.told("get_id_value_response")[0]["results"]
        tap.same("what an action gives", {result["node"]: result["data"] for result in results},
                 {"manager": "[1]", "worker-01": None})
        controller.say({"event": "get_nodes_request", "reqid": "d"})
        agent.say({"request": agent.told("get_nodes_request")[0]["request"], "answer": [status("x", pid=1)]})
        tap.same("a list of nodes", controller.told("get_nodes_response")[0]["results"][0]["data"],
                 [status("x", pid=1)])
        agent.say({"peers": True}, {"stats": True})
        tap.same("lines of every endpoint", len(agent.told("peers")[0]) + len(agent.told("stats")[0]), 2)
        tap.same("the exit code tells", agent.finish(), 1)


def requests(tap):
    """A controller that is asked by its own input."""
    with Controller() as controller:
        lines = [
            ('{"event":"smoke","reqid":"x"}', "not a request to a controller: event"),
            ('{"event":"notify_agents_ready","instances":[]}', "not a request to a controller: event"),
            ('{"event":"get_nodes_response","reqid":"x","results":[]}', "not a request to a controller: event"),
            ('{"event":"Management::Agent::API::get_nodes_request","reqid":"x"}',
             "not a request to a controller: event"),
            ('{"event":"get_nodes_request"}', "reqid"),
            ('{"event":"get_nodes_request","reqid":1}', "reqid"),
            ('{"event":"get_nodes_request","reqid":"x","nodes":[]}', ""),
            ('{"event":"stage_configuration_request","reqid":"x","config":{"id":"","instances":[],'
             '"nodes":[{"name":1}]}}', "Management::Node"),
            ('{"event":1}', "not a request to a controller: event"),
            ('{"instances":1}', "neither a message nor a command"),
        ]
        controller.say(*[line for line, _ in lines])
        for number, (line, problem) in enumerate(lines):
            told = controller.refused(number + 1)
            tap.check(f"refused: {line}", problem in told, told)
        controller.say({"event": "get_instances_request", "reqid": "mine"}, {"instances": True})
        tap.same("an answer", controller.told("get_instances_response")[0]["reqid"], "mine")
        tap.same("no instances", controller.told("instances"), [[]])
        tap.same("the exit code tells", controller.finish(), 1)


def malformed(tap):
    """Events that nobody can read are told, with what is wrong; those that nobody knows are printed."""
    with Controller() as controller, Agent("agent-1", connect=controller.address, nodes={"nodes": {}}), \
            Connector(controller.address, "--id", LOW, *PLAIN) as peer:
        controller.instance("known", "agent-1")
        peer.told("peer_added")
        topic = "zeek/management/controller"
        peer.say({"topic": topic, "event": CONTROLLER + "get_nodes_request", "args": []},
                 {"topic": topic, "event": "Own::event", "args": [1]})
        tap.same("too few arguments", [controller.told("malformed")[0][name] for name in ("event", "argument")],
                 [CONTROLLER + "get_nodes_request", None])
        controller.wait(lambda e: e.get("topic") == topic and e["event"] == "Own::event", "the event")
        hello = {"topic": "zeek/management/agent/x", "event": AGENT + "notify_agent_hello"}
        peer.say({**hello, "args": ["x", HIGH, False, 1]})
        tap.check("a stranger", controller.instance("stranger", "x"))
        peer.say({**hello, "args": ["y", LOW, False, 2]})
        tap.check("another version", controller.instance("version", "y"))
    with Listener("--subscribe", "zeek/management", *PLAIN) as peer, Agent("a1", connect=peer.address) as agent:
        peer.told("peer_added")
        peer.say({"topic": "zeek/management/agent/a1", "event": AGENT + "deploy_request", "args": ["x", 1, True]},
                 {"topic": "zeek/management/agent/a1", "event": "Own::event", "args": []})
        flaw = agent.told("malformed")[0]
        tap.same("an argument of another type", (flaw["argument"], flaw["type"]),
                 ("config", "Management::Configuration"))
        agent.wait(lambda e: e.get("event") == "Own::event", "the event")


# Clients

def clients(tap):
    """What a client says of a controller that it does not like, or that is not there."""
    nobody_there = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    result = leat("zeek", "client", nobody_there, "get-nodes", "--attempts", "2")
    tap.same("nobody listens", (result.code, result.out, result.err),
             (1, b"", f"leat: {nobody_there}: Connection refused\n"))
    tap.check("it tried again", time.monotonic() - began > 0.9)
    listen = f"127.0.0.1:{free_port()}"
    with contextlib.ExitStack() as stack:
        waiting = stack.enter_context(Program("zeek", "client", listen, "get-instances", "--verbose"))
        waiting.err.find("Connection refused")
        stack.enter_context(Controller(websocket=listen))
        tap.same("a controller that comes later", waiting.end(), 0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = "127.0.0.1:%d" % silent.getsockname()[1]
        result = leat("zeek", "client", address, "get-nodes", "--timeout", "0.2", "--attempts", "1", "--verbose")
        tap.check("a server that says nothing", result.code == 1 and result.out == b"", result.err)
    with cluster(nodes=None) as (controller, agent):
        with Program("zeek", "client", controller.clients, "get-nodes") as client:
            agent.told("get_nodes_request")
            controller.process.kill()
            tap.check("a controller that dies", client.end() == 1 and controller.clients in client.err.text(),
                      client.err.text())
    with Listener(*PLAIN) as native:
        result = leat("zeek", "client", native.address, "get-nodes", "--attempts", "1")
        tap.check("a native listener", result.code == 1, result.err)
    result = leat("zeek", "client", nobody_there, "get-id-value", "\udcff")
    tap.same("what JSON cannot tell", (result.code, result.out, result.err),
             (2, b"", "leat: get-id-value: an argument is not UTF-8\n"))
    with Broken() as broken:
        for name, words, event, args, printed in [
            ("no list", ["get-nodes"], "get_nodes_response", [count(1)], "malformed"),
            ("a result that is none", ["get-nodes"], "get_nodes_response", [[count(1)]], "malformed"),
            ("nothing else", ["restart"], "restart_response", [[]], CONTROLLER + "restart_response"),
        ]:
            result = broken.answer(words, event, args)
            tap.same(f"a response with {name}", (result.code, result.names()), (int(printed == "malformed"), [printed]))
        tap.check("it is the one to its own request", UUID.fullmatch(result.events()[0]["value"]["reqid"]), result.out)
    with Controller() as controller:
        for name, config, problem in [
            ("no configuration", "[]", "not an object"), ("no JSON", "{", "ends inside"),
            ("an unknown field", '{"instances":[],"nodes":[],"smoke":1}', "Management::Configuration"),
            ("no name", '{"instances":[{}],"nodes":[]}', "Management::Instance"),
            ("no role", '{"instances":[],"nodes":[{"name":"a","instance":"b"}]}', "Management::Node"),
            ("another role", '{"instances":[],"nodes":[{"name":"a","instance":"b","role":"COOK"}]}', "ClusterRole"),
            ("no list", '{"instances":1,"nodes":[1]}', "instances"),
        ]:
            result = leat("zeek", "client", controller.clients, "stage-config", "-", data=config)
            tap.check(f"{name}: not sent", result.code == 2 and result.out == b"" and problem in result.err, result.err)
        short = {"instances": [{"name": "a"}], "nodes": [{"name": "w", "instance": "a", "role": "Supervisor::WORKER"}]}
        code, response = ask(controller, "stage-config", "-", data=json.dumps(short))
        made = response[1]["results"][0]["data"]
        tap.same("what may be left out", ask(controller, "get-config")[1][1]["result"]["data"],
                 configuration(made, [instance("a")], [node("w", "a")]))
        code, response = ask(controller, "stage-config", "-", data=json.dumps(short))
        tap.check("an id is new", response[1]["results"][0]["data"] != made)


class Broken(Listener):
    """A server of WebSocket that answers a client as the test wants."""

    def __init__(self):
        super().__init__("--subscribe", "zeek/management/controller", *PLAIN, noun="ws")
        self.count = 0

    def answer(self, words, event, args):
        with Program("zeek", "client", self.address, *words) as client:
            self.count += 1
            request = self.messages(self.count)[-1]
            args = [vector(*value) if isinstance(value, list) else value for value in args]
            self.say({"topic": request["topic"], "event": CONTROLLER + event, "args": [text("other"), *args]},
                     {"topic": request["topic"], "event": CONTROLLER + "get_instances_response",
                      "args": request["args"]},
                     {"topic": request["topic"], "event": CONTROLLER + event, "args": [
                         request["args"][0], *args]})
            code = client.end()
            return Result(code, client.out.text().encode(), client.err.text().encode())


def monitor(tap):
    """A client that hears what all others say."""
    with cluster() as (controller, _), Program("zeek", "client", controller.clients, "monitor") as listener, \
            Connector(controller.address, *PLAIN) as peer:
        peer.told("peer_added")
        until(lambda: ask(controller, "get-instances") and listener.out.lines, "the first that it hears")
        deploy(controller, ONE)
        peer.say({"topic": "zeek/management/controller", "event": "Own::event", "args": [1]},
                 {"topic": "zeek/management/controller", "event": CONTROLLER + "deploy_request", "args": [1]})
        others = lambda lines: [line for line in lines if "get_instances" not in line]  # noqa: E731
        listener.out.wait(lambda lines: len(others(lines)) >= 6, "what others say")
        tap.same("it is stopped", listener.stop(), 0)
        heard = [brief(strict(line)["event"]) for line in others(listener.out.lines)]
        tap.same("what it heard", sorted(heard), sorted([
            "stage_configuration_request", "stage_configuration_response", "deploy_request", "deploy_response", "event",
            "malformed"]))


# What Zeek's own client says

def recorded_run(name):
    """The conversations of a recorded run, in their order: a name, and what either side sent, piece by piece."""
    for path in sorted((VECTORS / "websocket" / "management").glob(f"ws-{name}-*.jsonl")):
        entries = [strict(line) for line in path.read_text().splitlines()]
        yield path.stem, [(entry["dir"], bytes.fromhex(entry["hex"])) for entry in entries if "hex" in entry]


def replay(controller, pieces):
    """Says octet by octet what the recorded client said, each piece when what came before it is answered as it was.
    The recorded texts of the server, and ours."""
    theirs, ours, expected, got = Frames(), Frames(), [], []
    host, _, port = controller.clients.rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as stream:
        for direction, octets in pieces:
            if direction == "a>b":
                stream.sendall(octets)
                continue
            expected += theirs.feed(octets)
            while ours.head is None or len(got) < len(expected):
                octets = stream.recv(65536)
                assert octets, "the controller closed the connection"
                got += ours.feed(octets)
    assert [head for head in (theirs.head, ours.head) if not head.startswith(b"HTTP/1.1 101 ")] == []
    keys = [line for frames in (theirs, ours) for line in frames.head.decode().split("\r\n") if "Accept" in line]
    assert keys[0] == keys[1], keys
    return expected, got


def comparable(message):
    """A message without what no two controllers say alike: ids of their own requests and of processes, and orders."""
    message = json.loads(message)
    if message["type"] == "ack":
        return list(message)
    name, args = plain(message)[2][:2]
    reqid, results = args[0], args[1] if args[1] and isinstance(args[1][0], list) else [args[1]]
    for result in results:
        if isinstance(result, list) and len(result) == 6:
            result[0] = result[0] == reqid
            if "get_nodes" in name and isinstance(result[3], list):
                result[3] = sorted(entry[:4] + [entry[4] is not None] + entry[5:] for entry in result[3])
    if name.endswith("_response"):
        results.sort(key=json.dumps)
    return name, args


def zeek_client(tap):
    """All commands of the client of Zeek 8.0.9, as they were recorded, octet by octet."""
    table = {}
    for name, pieces in recorded_run("main"):
        if "get-id-value-table" in name:
            frames = Frames()
            texts = [t for direction, octets in pieces if direction == "b>a" for t in frames.feed(octets)]
            table = json.loads(plain(json.loads(texts[-1]))[2][1][1][0][3])
    nodes = {"nodes": {name: {"values": {"Cluster::node": name, "Cluster::nodes": table}}
                       for name in ("logger", "manager", "worker-01")}}
    nodes["nodes"]["worker-01"]["start_ms"] = 2000
    whole = 0
    with Controller("--timeout", "4") as controller, contextlib.ExitStack() as stack:
        for name, pieces in recorded_run("main"):
            if "monitor" in name:
                continue
            if "08-get-instances" in name:
                stack.enter_context(Agent("agent-1", connect=controller.address, nodes=nodes))
                controller.instance("known", "agent-1")
            expected, got = replay(controller, pieces)
            tap.same(f"{name}: what it is answered", [comparable(text) for text in got],
                     [comparable(text) for text in expected])
            whole += sum(text in expected[1:] for text in got[1:])
        tap.check("what tells nothing of the run is the same to the last octet", whole >= 15, whole)


def recorded_runs(tap):
    """Other runs of that client, as far as they need no Zeek: what it says can be read, and is answered in time."""
    for run_name in "failing", "two-agents", "controller-connects", "reconnect":
        with Controller("--timeout", "0.3") as controller:
            for name, pieces in recorded_run(run_name):
                expected, got = replay(controller, pieces)
                names = [[plain(json.loads(text))[2][0] for text in texts[1:]] for texts in (expected, got)]
                tap.same(f"{name}: answered", names[1], names[0])
            controller.finish()
            tap.check("nothing was malformed", "malformed" not in [e["event"] for e in controller.events()],
                      controller.out.lines)


# How connections are secured

def secured(tap):
    """Agents and clients by anonymous TLS and by certificates, and what does not fit."""
    for name, one, other in ways():
        named = [word for word in other if word != "--no-tls"] + ([] if name == "plain" else ["--tls", "--peer-name",
                                                                                             "any"])
        with Controller(security=[*one, "--client-tls"]) as controller, \
                Agent("agent-1", connect=controller.address, nodes=NODES, security=other):
            controller.instance("known", "agent-1")
            result = leat("zeek", "client", controller.clients, "deploy-config", "-", *named, data=json.dumps(ONE))
            tap.same(f"{name}: a deployment", (result.code, len(result.events()), result.err), (0, 2, ""))
        with Controller(security=one) as controller:
            tap.same("clients without TLS", ask(controller, "get-instances")[0], 0)
            result = leat("zeek", "client", controller.clients, "get-instances", "--tls", "--attempts", "1")
            tap.same("and not with it", (result.code, result.out), (1, b""))
        with Agent("agent-2", listen="127.0.0.1:0", nodes=NODES, security=one) as agent, \
                Controller(security=other) as controller:
            config = configuration("x", [instance("agent-2", "127.0.0.1", f"{agent.port_of()}/tcp")],
                                   [node("n", "agent-2")])
            tap.same("the controller connects", deploy(controller, config)[0], 0)


def origins(tap):
    """Pages of other sites stay outside."""
    head = ("GET /v1/messages/json HTTP/1.1\r\nHost: 127.0.0.1:2149\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
    with Controller("--origin", "https://gui.example") as controller:
        host, _, port = controller.clients.rpartition(":")
        for origin, code in [(None, 101), ("http://127.0.0.1:2149", 101), ("https://127.0.0.1:2149", 101),
                             ("https://gui.example", 101), ("http://127.0.0.1:2150", 403), ("http://127.0.0.1", 403),
                             ("ftp://127.0.0.1:2149", 403), ("https://evil.example", 403), ("null", 403), ("", 403),
                             ("http://127.0.0.1:2149.evil.example", 403), ("127.0.0.1:2149", 403)]:
            with socket.create_connection((host, int(port)), PATIENCE) as stream:
                stream.sendall((head + ("" if origin is None else f"Origin: {origin}\r\n") + "\r\n").encode())
                tap.same(f"a page of {origin}", read_exactly(stream, 12), b"HTTP/1.1 %d" % code)


def recordings(tap):
    """What --record writes is what was said."""
    record, native = folder() / "client", folder() / "agent"
    with Controller() as controller:
        with Agent("agent-1", "--record", native, connect=controller.address, nodes=NODES) as agent:
            controller.instance("known", "agent-1")
            tap.same("an agent that is recorded", agent.finish(), 0)
        ask(controller, "get-nodes", "--record", record)
    for dialect, path, name in [("broker-ws", record, CONTROLLER + "get_nodes_request"),
                                ("broker", native, AGENT + "notify_agent_hello")]:
        result = leat("decode", "capture", dialect, path)
        tap.check(f"a recording of {dialect}", result.code == 0 and name.encode() in result.out, result.err)


# The rest

def events(tap):
    """The table of all events."""
    result = leat("zeek", "events")
    rows = result.events()
    tap.same("all is sound", (result.code, result.err, rows[0]), (0, "", {"version": 1}))
    kinds = {next(iter(row)): 0 for row in rows}
    tap.same("what there is", list(kinds), ["version", "event", "record", "enum"])
    names = [row["event"]["name"] for row in rows if "event" in row]
    both = {AGENT + "deploy_request", CONTROLLER + "deploy_request"}
    tap.check("events of agents and controllers", both <= set(names) and len(names) == len(set(names)) == 47, names)
    types = {row[kind]["name"] for row in rows for kind in ("record", "enum") if kind in row}
    used = {word for row in rows for kind, list_name in (("event", "args"), ("record", "fields")) if kind in row
            for field in row[kind][list_name] for text_of in (field["type"], field["data"] or "")
            for word in text_of.split() if "::" in word}
    tap.same("types that are used are there", sorted(used - types), [])
    for name, expected in [("deploy_request", 2), (AGENT + "deploy_request", 1), ("Node", 1), ("Management::Role", 1)]:
        tap.same(f"those named {name}", len(leat("zeek", "events", name).events()), expected)
    for name in "request", "::Node", "management::node", "x" * 1000:
        result = leat("zeek", "events", name)
        tap.same(f"there is no {name[:20]}", (result.code, result.out), (1, b""))


def node_lists(tap):
    """Files for --nodes that are not sound."""
    for content, problem in [
        ("", "ends"), ("[]", "not an object"), ('{"nodes":[]}', "nodes: not an object"),
        ('{"smoke":1}', "a field that is not known: smoke"), ('{"refuse_welcome":true}', "refuse_welcome: not a text"),
        ('{"nodes":{"w":1}}', "w: not an object"),
        ('{"nodes":{"w":{"start":1}}}', "w: a field that is not known: start"),
        ('{"nodes":{"w":{"' + "x" * 100 + '":1}}}', "w: a field that is not known: " + "x" * 64 + "\n"),
        ('{"nodes":{"w":{"start_ms":-1}}}', "w: start_ms: not a number"),
        ('{"nodes":{"w":{"pid":"1"}}}', "w: pid: not a number"),
        ('{"nodes":{"w":{"state":"SMOKING"}}}', "w: state: not a state"),
        ('{"nodes":{"w":{"values":[]}}}', "w: values: not an object"),
        ('{"nodes":{"' + "w" * 100 + '":{"state":1}}}', "w" * 63 + ": state: not a text"),
    ]:
        path = temporary(content)
        result = leat("zeek", "agent", "--name", "a", "--listen", "127.0.0.1:0", "--nodes", path, *PLAIN)
        tap.check(f"refused: {content[:60]}", result.code == 2 and f"{path}: " in result.err and problem in result.err,
                  result.err)
    result = leat("zeek", "agent", "--name", "a", "--listen", "127.0.0.1:0", "--nodes", "/nowhere/file", *PLAIN)
    tap.check("no file", result.code == 2 and "/nowhere/file: No such file" in result.err, result.err)


def manual(tap):
    """The example of the manual page."""
    page = (ROOT / "doc" / "leat.1").read_text()
    example = page[page.index("Zeek's Management framework without a Zeek"):]
    example = example[example.index(".Bd"):example.index(".Ed")].split("\n", 1)[1].replace("\\e\n", "\\\n")
    work = folder()
    listen, websocket = (f"127.0.0.1:{free_port()}" for _ in range(2))
    commands = example.replace("127.0.0.1:2150", listen).replace("127.0.0.1:2149", websocket)
    for ours, theirs in [("leat zeek controller", f"leat zeek controller --listen {listen} --websocket {websocket}"),
                         ("deploy-config cluster.json", "deploy-config cluster.json >deployed.ndjson"),
                         ("get-nodes", "get-nodes >nodes.ndjson"), ("&\n", '& pids="$pids $!"\n')]:
        commands = commands.replace(ours, theirs)
    with Shell(commands + "kill $pids; wait\n", work) as shell:
        tap.same("it ends well", shell.end(), 0)
        (deployed_line,) = [strict(line) for line in (work / "deployed.ndjson").read_text().splitlines()][1:]
        tap.check("it deploys", all(result["success"] for result in deployed_line["value"]["results"]), deployed_line)
        told = strict((work / "nodes.ndjson").read_text())
        tap.same("there is a node", [entry["node"] for entry in told["value"]["results"][0]["data"]], ["agent-1", "w1"])
        tap.check("it remembers", strict((work / "deployed.json").read_text())["nodes"][0]["name"] == "w1")


def main():
    tap = Tap()
    if "broker" in DIALECTS:
        stories = [events, node_lists, answers, requests, malformed, strange_text]
        if OPENSSL:
            stories += [nobody, story, failing, late, two_agents, killed, full_disk, silence, idle, long_names, options,
                        clients, monitor, zeek_client, recorded_runs, secured, origins, recordings, manual]
        wanted = sys.argv[1:]
        for function in stories:
            if not wanted or function.__name__ in wanted:
                tap.run(function)
    else:
        tap.check("left out of this build", True)
    return tap.end()


sys.exit(main())
