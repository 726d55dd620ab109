import { describe, requireIntegerFrom, requireMethods, requireOptions, requirePort } from '../arguments.ts';
import { UnsupportedError } from '../errors.ts';
import type { DatagramReceiver } from '../interfaces/datagram-transport.ts';
import type { ListenMulticastOptions, ListenUDPOptions } from '../interfaces/reactor-udp.ts';
import { DatagramPort, type DatagramPortParts } from './datagram-port.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { hostToBind } from './tcp.ts';

/** More than any datagram has. */
const DEFAULT_PACKET_BYTES = 65_535;

/** About as many datagrams as Linux keeps for a socket that nobody reads (its buffer of 208 KiB counts some 800 bytes for the smallest). */
const DEFAULT_DATAGRAM_BACKLOG = 256;

/** What `receiving` and `unsentBytesMaxOf` take from the options. */
export const RECEIVING_OPTIONS: readonly string[] = ['maxPacketSize', 'backlog', 'writeBufferLimit'];
const UDP_OPTIONS = ['interface', ...RECEIVING_OPTIONS];
const RECEIVER_METHODS = ['makeConnection', 'datagramReceived', 'connectionRefused', 'doStop'];

/** Checks the arguments of `listenUDP` and makes the port. */
export function listenUDP(
  parts: ReactorParts,
  port: number,
  protocol: DatagramReceiver,
  options: ListenUDPOptions,
): DatagramPort {
  requireOptions('options', options, UDP_OPTIONS);
  return listen(parts, port, protocol, options, false);
}

/** Checks the arguments of `listenMulticast` and makes the port. */
export function listenMulticast(
  parts: ReactorParts,
  port: number,
  protocol: DatagramReceiver,
  options: ListenMulticastOptions,
): DatagramPort {
  requireOptions('options', options, [...UDP_OPTIONS, 'listenMultiple']);
  const { listenMultiple = false } = options;
  if (typeof listenMultiple !== 'boolean') {
    throw new TypeError(`listenMultiple must be true or false; got ${describe(listenMultiple)}`);
  }
  return listen(parts, port, protocol, options, listenMultiple);
}

/** Checks a protocol and the limits of its port, and makes of them what is not about the socket. */
export function receiving(
  parts: ReactorParts,
  protocol: DatagramReceiver,
  options: Pick<ListenUDPOptions, 'maxPacketSize' | 'backlog'>,
): Pick<DatagramPortParts, 'protocol' | 'receiver' | 'bytesMax' | 'backlog'> {
  const { maxPacketSize = DEFAULT_PACKET_BYTES, backlog = DEFAULT_DATAGRAM_BACKLOG } = options;
  requireMethods('protocol (a DatagramProtocol)', protocol, RECEIVER_METHODS);
  requireIntegerFrom('maxPacketSize', maxPacketSize, 1);
  requireIntegerFrom('backlog', backlog, 1);
  const receiver = parts.contexts?.bindObject(protocol) ?? protocol;
  return { protocol, receiver, bytesMax: maxPacketSize, backlog };
}

/** Checks how much may wait to be sent; undefined where the platform decides. */
export function unsentBytesMaxOf({ writeBufferLimit }: Pick<ListenUDPOptions, 'writeBufferLimit'>): number | undefined {
  if (writeBufferLimit !== undefined) requireIntegerFrom('writeBufferLimit', writeBufferLimit, 0);
  return writeBufferLimit;
}

function listen(
  parts: ReactorParts,
  port: number,
  protocol: DatagramReceiver,
  options: ListenUDPOptions,
  shared: boolean,
): DatagramPort {
  const { interface: interfaceName = '' } = options;
  requirePort('port', port, 0);
  const reception = receiving(parts, protocol, options);
  const unsentBytesMax = unsentBytesMaxOf(options);
  const host = hostToBind(interfaceName);
  const { datagrams, name } = parts.platform;
  if (datagrams === undefined) throw new UnsupportedError(`The platform ${name} has no datagrams`);
  const datagramPort = new DatagramPort(parts, {
    host,
    port,
    bind: (listener) => datagrams.bind({ host, port, shared, unsentBytesMax }, listener),
    ...reception,
  });
  datagramPort.startListening();
  return datagramPort;
}
