import { expect } from 'chai';
import { CertificateError, type ListeningPort, nodeTLS, VerifyError } from 'ropewalk';
import { failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { ask, certificateFor, PORT, serve } from './tls-echo.ts';

describe('echo over TLS', () => {
  let reactor: TestReactor;
  let port: ListeningPort | undefined;

  beforeEach(() => {
    reactor = new TestReactor({ tls: nodeTLS() });
  });

  afterEach(async () => {
    port?.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('answers a client that trusts the server', async () => {
    const identity = await certificateFor('localhost');
    port = serve(reactor, identity);
    const answer = ask(reactor, { ca: identity.cert }, 'a question');
    await reactor.advanceAsync(0);
    expect(successResultOf(answer)).to.equal('a question');
  });

  it('is told nothing by a client that does not, or that wants somebody else', async () => {
    const identity = await certificateFor('localhost');
    port = serve(reactor, identity);
    const untrusting = ask(reactor, {}, 'a secret');
    const misled = ask(reactor, { ca: identity.cert, servername: 'elsewhere.example' }, 'a secret');
    await reactor.advanceAsync(0);
    expect(failureResultOf(untrusting, VerifyError).value).to.include({ reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    failureResultOf(misled, CertificateError);
  });

  it('shows new clients a new certificate', async () => {
    let identity = await certificateFor('localhost');
    port = serve(reactor, () => identity);
    for (let times = 0; times < 2; times += 1) {
      const answer = ask(reactor, { ca: identity.cert }, 'still there?');
      await reactor.advanceAsync(0);
      expect(successResultOf(answer)).to.equal('still there?');
      identity = await certificateFor('localhost');
    }
  });

  it('fails for a client whose server goes away in the midst of the answer', async () => {
    const identity = await certificateFor('localhost');
    const server = reactor.serve(PORT, { tls: identity });
    const answer = ask(reactor, { ca: identity.cert }, 'a question');
    await reactor.advanceAsync(0);
    const peer = server.accept();
    peer.send('a que');
    peer.end();
    await reactor.advanceAsync(0);
    expect(failureResultOf(answer).value.message).to.equal('Connection was closed cleanly.');
    server.stop();
  });
});
