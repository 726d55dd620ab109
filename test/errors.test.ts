import { expect } from 'chai';
import * as errors from '../src/errors.ts';
import { Failure } from 'ropewalk/core';

const cause = new Error('the cause');

/** One error of each class that can be made, in the order of the file. */
const samples: readonly errors.RopewalkError[] = [
  new errors.ConnectionDone(),
  new errors.ConnectionLost(),
  new errors.ConnectionAborted(),
  new errors.WriteBufferLimitError(2, 1),
  new errors.ConnectError('message', { cause }),
  new errors.ConnectBindError('message', { cause }),
  new errors.UnknownHostError('message', { cause }),
  new errors.NoRouteError('message', { cause }),
  new errors.ConnectionRefusedError('message', { cause }),
  new errors.TCPTimedOutError('message', { cause }),
  new errors.ConnectTimeoutError('message', { cause }),
  new errors.DNSLookupError('message', { cause }),
  new errors.UserError('message', { cause }),
  new errors.SSLError('message', { cause }),
  new errors.TLSHandshakeTimeoutError('message', { cause }),
  new errors.VerifyError('message', 'example.org', 'CERT_HAS_EXPIRED', { cause }),
  new errors.PeerVerifyError('message', 'example.org', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', { cause }),
  new errors.CertificateError('message', 'example.org', { cause }),
  new errors.ProcessDone(),
  new errors.ProcessTerminated({ exitCode: 1, status: 256 }),
  new errors.ProcessStartError('message', { cause }),
  new errors.ProcessExitedAlready(),
  new errors.UnexpectedErrorOutput({ stdout: Buffer.alloc(0), stderr: Buffer.from('oops') }),
  new errors.ProcessOutputLimitError(5),
  new errors.CannotListenError('127.0.0.1', 80, cause),
  new errors.MessageLengthError('message', { cause }),
  new errors.InvalidAddressError('localhost', 'message', { cause }),
  new errors.MulticastJoinError('message', { cause }),
  new errors.AdoptionError(3, cause),
  new errors.ConnectingCancelledError('somewhere', { cause }),
  new errors.AlreadyListened('message'),
  new errors.NoProtocol(),
  new errors.AlreadyCalled(),
  new errors.AlreadyCancelled(),
  new errors.NotConnectingError('message'),
  new errors.ConnectInProgressError('message'),
  new errors.HandshakeInProgressError('message'),
  new errors.NotListeningError('message'),
  new errors.ReactorNotRunning('message'),
  new errors.ReactorAlreadyRunning('message'),
  new errors.UnsupportedError('message'),
  new errors.TurnLimitError('message'),
  new errors.AlreadyCalledError(),
  new errors.CancelledError(),
  new errors.FirstError(new Failure(cause), 3),
  new errors.FailureGroup([new Failure(cause)]),
  new errors.TimeoutError(5),
  new errors.NotACoroutineError('message'),
  new errors.QueueOverflow('message'),
  new errors.QueueUnderflow('message'),
  new errors.LoopingCallAlreadyRunning('message'),
  new errors.LoopingCallNotRunning('message'),
  new errors.SchedulerStopped(),
  new errors.TaskDone(),
  new errors.TaskStopped(),
  new errors.TaskFailed(),
  new errors.NotPaused(),
  new errors.SystemExit(3),
];

/** Classes that are only bases. */
const ABSTRACT = ['RopewalkError', 'ConnectionClosed', 'BindError', 'SchedulerError', 'TaskFinished'];

/** `ERR_` and the class name in capitals with underscores, without a final `Error`: `DNSLookupError`, `ERR_DNS_LOOKUP`. */
function codeFor(className: string): string {
  const words = className.replace(/Error$/, '').match(/[A-Z]+(?![a-z])|[A-Z][a-z]+/g) ?? [];
  return ['ERR', ...words.map((word) => word.toUpperCase())].join('_');
}

describe('The error classes', () => {
  it('are all tested here', () => {
    const exported = Object.keys(errors).filter((name) => !ABSTRACT.includes(name));
    expect(samples.map((error) => error.constructor.name)).to.have.members(exported);
  });

  for (const sample of samples) {
    const { name } = sample.constructor;
    it(`have a name, a code and a message: ${name}`, () => {
      expect(sample).to.be.instanceOf(Error).and.instanceOf(errors.RopewalkError);
      expect(sample.name).to.equal(name);
      expect(sample.code).to.equal(codeFor(name));
      expect(sample.message).not.to.equal('');
      expect(String(sample)).to.equal(`${name}: ${sample.message}`);
      expect(sample.stack).to.match(new RegExp(`^${name}: `));
      // On the prototype, so that printing an error does not repeat them.
      expect(Object.keys(sample)).not.to.include.members(['name']);
      expect(Object.keys(sample)).not.to.include.members(['code']);
    });
  }

  it('have the codes they have had since they were first released', () => {
    expect(new errors.ConnectionDone().code).to.equal('ERR_CONNECTION_DONE');
    expect(new errors.DNSLookupError().code).to.equal('ERR_DNS_LOOKUP');
    expect(new errors.TCPTimedOutError().code).to.equal('ERR_TCP_TIMED_OUT');
    expect(new errors.WriteBufferLimitError(2, 1).code).to.equal('ERR_WRITE_BUFFER_LIMIT');
    expect(new errors.ReactorNotRunning().code).to.equal('ERR_REACTOR_NOT_RUNNING');
  });

  it('stand in a hierarchy by whose fault they are', () => {
    const subclasses: [abstract new (...args: never[]) => Error, string[]][] = [
      [
        errors.ConnectionClosed,
        [
          ...['ConnectionDone', 'ConnectionLost', 'ConnectionAborted', 'WriteBufferLimitError'],
          ...['ProcessDone', 'ProcessTerminated'],
        ],
      ],
      [errors.ConnectionDone, ['ConnectionDone', 'ProcessDone']],
      [errors.ConnectionLost, ['ConnectionLost', 'ConnectionAborted', 'WriteBufferLimitError', 'ProcessTerminated']],
      [
        errors.ConnectError,
        [
          ...['ConnectError', 'ConnectBindError', 'UnknownHostError', 'NoRouteError', 'ConnectionRefusedError'],
          ...[
            'TCPTimedOutError',
            'ConnectTimeoutError',
            'DNSLookupError',
            'UserError',
            'SSLError',
            'TLSHandshakeTimeoutError',
            'ProcessStartError',
          ],
        ],
      ],
      [errors.BindError, ['CannotListenError']],
    ];
    for (const [base, names] of subclasses) {
      const found = samples.filter((error) => error instanceof base).map((error) => error.name);
      expect(found, base.name).to.deep.equal(names);
    }
  });

  it('say what happened in a sentence', () => {
    expect(new errors.ConnectionDone().message).to.equal('Connection was closed cleanly.');
    expect(new errors.ConnectionDone('no protocol').message).to.equal('Connection was closed cleanly: no protocol.');
    expect(new errors.ConnectionLost('reset').message).to.equal('Connection was lost before it was closed: reset.');
    expect(String(new Failure(new errors.ConnectionDone()))).to.equal(
      '[Failure instance: Traceback (failure with no frames): ConnectionDone: Connection was closed cleanly.]',
    );
  });

  it('say how a program ended', () => {
    expect(new errors.ProcessDone().message).to.equal('The program ended with exit code 0.');
    expect(new errors.ProcessDone()).to.include({ exitCode: 0, status: 0 });
    const exited = new errors.ProcessTerminated({ exitCode: 3, status: 768 });
    expect(exited.message).to.equal('The program ended with exit code 3.');
    expect(exited).to.include({ exitCode: 3, signal: undefined, status: 768, output: undefined });
    const killed = new errors.ProcessTerminated({ signal: 'SIGKILL', status: 9 }, { cause });
    expect(killed.message).to.equal('The program was ended by SIGKILL.');
    expect(killed).to.include({ exitCode: undefined, signal: 'SIGKILL', status: 9, cause });
    const output = { stdout: Buffer.from('out'), stderr: Buffer.from('e'.repeat(300)) };
    const unexpected = new errors.UnexpectedErrorOutput(output);
    expect(unexpected.output).to.equal(output);
    expect(unexpected.message).to.equal(`The program wrote to its standard error: ${'e'.repeat(200)}…`);
    expect(new errors.ProcessOutputLimitError(5).limitBytes).to.equal(5);
  });

  it('keep their cause and what they know', () => {
    expect(new errors.ConnectionLost('reset', { cause }).cause).to.equal(cause);
    const cannotListen = new errors.CannotListenError('', 8080, cause);
    expect(cannotListen).to.include({ interface: '', port: 8080, socketError: cause, cause });
    expect(cannotListen.message).to.equal('Cannot listen on any interface, port 8080: the cause');
    const limit = new errors.WriteBufferLimitError(12, 10);
    expect(limit).to.include({ bufferedBytes: 12, limitBytes: 10 });
    const failure = new Failure(cause);
    const first = new errors.FirstError(failure, 3);
    expect(first).to.include({ subFailure: failure, index: 3, cause });
  });
});
