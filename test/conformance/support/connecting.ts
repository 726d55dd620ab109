import { expect } from 'chai';
import type { ClientProtocolFactory, Connector, Reactor } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { RecordingFactory } from './recording-factory.ts';

/** Connects, and waits until the attempt has failed and left nothing behind. */
export async function failureOf(
  harness: Harness,
  reactor: Reactor,
  connect: (factory: ClientProtocolFactory) => Connector,
): Promise<Error> {
  const factory = new RecordingFactory();
  const connector = connect(factory);
  await harness.until(() => factory.reasons.length > 0, 'the attempt has failed');
  expect(factory.calls.slice(-3)).to.deep.equal(['clientConnectionFailed', 'doStop', 'stopFactory']);
  expect(factory.protocols).to.deep.equal([]);
  expect(connector.state).to.equal('disconnected');
  expect(reactor.inspect()).to.deep.include({ connectors: [], connections: [] });
  expect(reactor.getDelayedCalls()).to.deep.equal([]);
  return factory.reasons[0]!;
}
