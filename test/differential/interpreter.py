"""
Runs scripts on Twisted: reads a JSON list of scripts from standard input, writes the list of their traces, with the
version of Twisted. A script is a list of operations, [name, argument, ...]; interpreter.ts runs the same on Ropewalk,
and scripts.ts describes the operations. What a trace shows of a value must be the same in both languages: see show().
"""
import gc
import json
import sys

import twisted
from twisted.internet import defer, task
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure


class Boom(Exception):
    """The error that scripts raise."""


def error(e):
    """The class of an error, and the message of one that a script made. What is thrown for misuse differs by language."""
    if isinstance(e, Boom):
        return f"Boom {e}"
    if isinstance(e, defer.FirstError):
        return f"FirstError {e.index} {show(e.subFailure)}"
    if type(e) in (AssertionError, ValueError, TypeError):
        return "misuse"
    return type(e).__name__


def show(value):
    if value is None:
        return "nothing"
    if isinstance(value, Failure):
        return f"<{error(value.value)}>"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(v) for v in value) + "]"
    if isinstance(value, (bool, int, str)):
        return json.dumps(value)
    if isinstance(value, defer.Deferred):
        return "a Deferred"
    return "an object"


class Clock(task.Clock):
    """Goes in quarters of a second, so that it stops at each time at which something is due."""

    def advance(self, amount):
        task.Clock.advance(self, 0)
        for _ in range(round(amount * 4)):
            task.Clock.advance(self, 0.25)


class Interpreter:
    def __init__(self):
        self.log = []
        self.unhandled = []
        self.clock = Clock()
        self.things = {}

    def run(self, script):
        globalLogPublisher.addObserver(self.observe)
        try:
            self.perform(script)
            self.things.clear()
            self.clock = None
            gc.collect()
        finally:
            globalLogPublisher.removeObserver(self.observe)
        return self.log + [f"unhandled {e}" for e in sorted(self.unhandled)]

    def observe(self, event):
        if "log_failure" in event:
            self.unhandled.append(error(event["log_failure"].value))

    def perform(self, operations):
        for name, *arguments in operations:
            try:
                getattr(self, "op_" + name)(*arguments)
            except Exception as e:
                self.say(f"{name} raised {error(e)}")
                del e

    def say(self, line):
        self.log.append(line)

    def end(self, ending, received=None):
        """What a function does after it has said that it was called."""
        kind, *rest = ending
        if kind == "pass":
            return received
        if kind == "value":
            return rest[0]
        if kind == "raise":
            raise Boom(rest[0])
        if kind == "fail":
            return Failure(Boom(rest[0]))
        if kind == "deferred":
            return self.things[rest[0]]
        if kind == "do":
            self.perform(rest[0])
            return self.end(rest[1], received)
        raise KeyError(kind)

    def function(self, label, ending):
        def called(received=None, *others):
            self.say(f"{label} {show(received)}")
            return self.end(ending, received)

        return called

    def sequence(self, label, endings):
        """A function that ends otherwise at each call, over and over."""
        calls = []

        def called(*received):
            ending = endings[len(calls) % len(endings)]
            calls.append(None)
            self.say(" ".join([label, f"at {self.clock.seconds():g}", *map(show, received)]))
            return self.end(ending)

        return called

    # Deferreds

    def op_new(self, name, canceller=None):
        def cancel(deferred):
            self.say(f"cancelling {name}")
            if canceller == "callback":
                deferred.callback("cancelled")
            elif canceller == "errback":
                deferred.errback(Boom("cancelled"))
            elif canceller == "raise":
                raise Boom("canceller")

        self.things[name] = defer.Deferred(cancel if canceller else None)

    def op_succeed(self, name, value):
        self.things[name] = defer.succeed(value)

    def op_fail(self, name, message):
        self.things[name] = defer.fail(Boom(message))

    def op_maybe(self, name, label, ending):
        self.things[name] = defer.maybeDeferred(self.function(label, ending))

    def op_execute(self, name, label, ending):
        self.things[name] = defer.execute(self.function(label, ending))

    def op_callback(self, name, value):
        self.things[name].callback(value)

    def op_errback(self, name, message):
        self.things[name].errback(Boom(message))

    def op_add(self, name, side, label, ending):
        add = {"callback": "addCallback", "errback": "addErrback", "both": "addBoth"}[side]
        getattr(self.things[name], add)(self.function(label, ending))

    def op_addPair(self, name, label, ending, otherLabel, otherEnding):
        self.things[name].addCallbacks(self.function(label, ending), self.function(otherLabel, otherEnding))

    def op_trap(self, name, label, kind):
        """An errback that lets one kind of error through."""
        kinds = {"Boom": Boom, "Cancelled": defer.CancelledError, "Timeout": defer.TimeoutError}

        def trap(failure):
            failure.trap(kinds[kind])
            self.say(f"{label} trapped {show(failure)}")

        self.things[name].addErrback(trap)

    def op_pause(self, name):
        self.things[name].pause()

    def op_unpause(self, name):
        self.things[name].unpause()

    def op_cancel(self, name):
        self.things[name].cancel()

    def op_chain(self, name, other):
        self.things[name].chainDeferred(self.things[other])

    def op_called(self, name):
        self.say(f"{name} called: {show(bool(self.things[name].called))}")

    def op_list(self, name, names, options):
        self.things[name] = defer.DeferredList([self.things[n] for n in names], **options)

    def op_gather(self, name, names, options):
        self.things[name] = defer.gatherResults([self.things[n] for n in names], **options)

    def op_timeout(self, name, seconds, label=None, ending=None):
        handler = self.function(label, ending) if label else None
        self.things[name].addTimeout(seconds, self.clock, handler)

    def op_coroutine(self, name, label, steps):
        """A step waits for what its ending returns; ["try", step...] says and swallows an error of its steps."""

        def one(step):
            kind, *rest = step
            if kind == "try":
                try:
                    for inner in rest:
                        yield from one(inner)
                except Exception as e:
                    self.say(f"{label} caught {error(e)}")
            else:
                received = yield self.end(step)
                self.say(f"{label} got {show(received)}")

        @defer.inlineCallbacks
        def run():
            for step in steps:
                if step[0] == "return":
                    return step[1]
                yield from one(step)

        self.things[name] = run()

    # Locks and queues

    def op_lock(self, name):
        self.things[name] = defer.DeferredLock()

    def op_semaphore(self, name, tokens):
        self.things[name] = defer.DeferredSemaphore(tokens)

    def op_acquire(self, name, deferred):
        self.things[deferred] = self.things[name].acquire()

    def op_release(self, name):
        self.things[name].release()

    def op_runLocked(self, name, deferred, label, ending):
        self.things[deferred] = self.things[name].run(self.function(label, ending))

    def op_locked(self, name):
        self.say(f"{name} locked: {show(bool(self.things[name].locked))}")

    def op_tokens(self, name):
        self.say(f"{name} tokens: {self.things[name].tokens}")

    def op_queue(self, name, size, backlog):
        self.things[name] = defer.DeferredQueue(size, backlog)

    def op_put(self, name, value):
        self.things[name].put(value)

    def op_get(self, name, deferred):
        self.things[deferred] = self.things[name].get()

    # Time and tasks

    def op_advance(self, seconds):
        self.clock.advance(seconds)

    def op_jump(self, seconds):
        task.Clock.advance(self.clock, seconds)

    def op_callLater(self, name, seconds, label, ending):
        self.things[name] = self.clock.callLater(seconds, self.sequence(label, [ending]))

    def op_cancelCall(self, name):
        self.things[name].cancel()

    def op_delayCall(self, name, seconds):
        self.things[name].delay(seconds)

    def op_resetCall(self, name, seconds):
        self.things[name].reset(seconds)

    def op_active(self, name):
        self.say(f"{name} active: {show(bool(self.things[name].active()))}")

    def op_pending(self):
        times = sorted(c.getTime() for c in self.clock.getDelayedCalls())
        self.say("pending " + " ".join(f"{t:g}" for t in times))

    def op_deferLater(self, name, seconds, label=None, ending=None):
        self.things[name] = task.deferLater(self.clock, seconds, *([self.function(label, ending), 7] if label else []))

    def op_loop(self, name, endings, withCount=False):
        make = task.LoopingCall.withCount if withCount else task.LoopingCall
        self.things[name] = make(self.sequence(name, endings))
        self.things[name].clock = self.clock

    def op_start(self, name, deferred, interval, now=True):
        self.things[deferred] = self.things[name].start(interval, now)

    def op_stop(self, name):
        self.things[name].stop()

    def op_reset(self, name):
        self.things[name].reset()

    def op_running(self, name):
        self.say(f"{name} running: {show(bool(self.things[name].running))}")

    def op_cooperator(self, name, steps, started=True):
        def factory():
            left = [steps]

            def over():
                left[0] -= 1
                return left[0] == 0

            return over

        clock = self.clock
        self.things[name] = task.Cooperator(factory, lambda tick: clock.callLater(1, tick), started)

    def iterator(self, label, endings):
        for ending in endings:
            self.say(f"{label} steps")
            yield self.end(ending)

    def op_cooperate(self, name, taskName, endings):
        self.things[taskName] = self.things[name].cooperate(self.iterator(taskName, endings))

    def op_coiterate(self, name, deferred, label, endings):
        self.things[deferred] = self.things[name].coiterate(self.iterator(label, endings))

    def op_whenDone(self, name, deferred):
        self.things[deferred] = self.things[name].whenDone()

    def op_pauseTask(self, name):
        self.things[name].pause()

    def op_resume(self, name):
        self.things[name].resume()

    def op_begin(self, name):
        self.things[name].start()


if __name__ == "__main__":
    gc.freeze()  # what Twisted itself is made of need not be looked through after each script
    traces = [Interpreter().run(script) for script in json.load(sys.stdin)]
    json.dump({"version": twisted.__version__, "traces": traces}, sys.stdout)
