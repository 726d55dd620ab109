/**
 * The scripts on which Ropewalk and Twisted 22.4 differ on purpose, and why. A script listed here that no longer differs
 * fails the test, so the table stays true.
 */
export const knownDifferences: Readonly<Record<string, string>> = {
  'a callback that returns its own Deferred':
    'Twisted warns and the chain hangs for ever; here the chain goes on with a TypeError.',
  'a pause in a callback holds those after it':
    'Twisted looks at pauses only before it begins to run callbacks; here a pause holds whatever has not run.',
  'unpausing what is not paused':
    'Twisted counts to -1, and the Deferred never runs a callback again; here the call throws RangeError.',
  'an error that is paused after it came to rest':
    'Twisted still reports it; here who pauses means to add an errback, and it is watched again when released.',
  'a canceller that raises':
    'In Twisted the error leaves cancel() and the Deferred never fires; here the error is the result.',
  'cancelling a list with a canceller that raises':
    'For the same reason Twisted logs the error and the list never fires; here the list has it as an outcome.',
  'a call that makes itself anew, in one advance':
    'The Clock of Twisted jumps over due times; here it steps to each, as real time does.',
  'a loop whose clock comes late': 'For the same reason: a clock that steps is never late.',
  'counting: a second start':
    'Twisted counts the intervals since the last call of the run before; here each start counts anew.',
  'cancelling the Deferred of a loop': 'In Twisted the loop goes on with nobody to tell; here it stops.',
  'a task that ends in the middle of a round':
    'Twisted removes from the list it goes through, and so skips the next task; here nobody is skipped.',
  'a cooperator with several tasks that is stopped':
    'For the same reason Twisted tells only every other task; here all are told.',
  'a cooperator with a paused task that is stopped':
    'In Twisted a paused task learns it only when it is resumed; here at once.',
  'resuming a task that waits':
    'Twisted counts the wait as a pause, so resume() ends it early; here a wait is no pause, and resume() throws NotPaused.',
  'a task that fails and nobody asks': 'In Twisted the error is lost; here it is reported as unhandled.',
  'a task that was stopped and whose Deferred fails':
    'Twisted ends the task a second time, with AlreadyCalledError; here the error of the Deferred stays with it.',
  'cancelling coiterate': 'In Twisted the iterator goes on with nobody to tell; here its task is stopped.',
};
