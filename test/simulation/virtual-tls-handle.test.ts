import { expect } from 'chai';
import { UNIXAddress } from 'ropewalk/core';
import type { TLSHandle } from '../../src/interfaces/tls-engine.ts';
import { VirtualTLSHandle } from '../../src/simulation/virtual-tls-handle.ts';
import { EventQueue } from '../../src/simulation/event-queue.ts';
import type { Scheduler } from '../../src/simulation/scheduler.ts';

const events = new EventQueue();
const SCHEDULER: Scheduler = { now: () => 0, schedule: (time, action) => events.schedule(time, action) };

/** What an engine gives, as far as nothing happens on it. */
const SILENT: TLSHandle = {
  localAddress: new UNIXAddress(undefined),
  remoteAddress: new UNIXAddress(undefined),
  negotiatedProtocol: undefined,
  getPeerCertificate: () => undefined,
  open: () => undefined,
  resumeReading: () => undefined,
  pauseReading: () => undefined,
  write: () => true,
  shutdown: () => undefined,
  close: () => undefined,
  reset: () => undefined,
};

describe('VirtualTLSHandle', () => {
  it('passes the options of a socket on to the handle within', () => {
    const calls: string[] = [];
    const inner: TLSHandle = {
      ...SILENT,
      setNoDelay: (enabled) => calls.push(`setNoDelay ${enabled}`),
      setKeepAlive: (enabled) => calls.push(`setKeepAlive ${enabled}`),
    };
    const handle = new VirtualTLSHandle(inner, SCHEDULER);
    handle.setNoDelay?.(false);
    handle.setKeepAlive?.(true);
    expect(calls).to.deep.equal(['setNoDelay false', 'setKeepAlive true']);
  });

  it('has none of those that the handle within does not have', () => {
    const handle = new VirtualTLSHandle(SILENT, SCHEDULER);
    expect(handle.setNoDelay).to.be.undefined;
    expect(handle.setKeepAlive).to.be.undefined;
  });
});
