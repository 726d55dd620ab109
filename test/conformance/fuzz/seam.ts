/**
 * How the two ends of a program come to encrypt their connection, from the middle of it, at a byte on which they agree.
 *
 *     idle ──request──▶ requested ──▶ half ──▶ shaking ──▶ idle
 *                           ╰─── one of them has closed ───▲
 *
 * - requested: the initiator writes nothing more, and the responder is to receive what was written before.
 * - half: the responder, which has all of that, has called `startTLS`. The initiator is to receive what it wrote before; if
 *   it closes instead, the connection has come to grief.
 * - shaking: the initiator has called it as well, with what it had been given of the responder's handshake.
 *
 * A raw peer does not take part: it is `misled`, goes on as before, and what it sends is garbage to TLS.
 */
import type { ProtocolEnd } from './protocol-end.ts';

type State =
  | { readonly name: 'idle' | 'misled' }
  | {
      readonly name: 'requested' | 'half';
      readonly initiator: ProtocolEnd;
      readonly responder: ProtocolEnd;
      readonly initiatorServes: boolean;
      /** How many bytes are to be received before the next step. */
      readonly plainBytes: number;
    }
  | { readonly name: 'shaking'; readonly waiting: ReadonlySet<ProtocolEnd> };

const IDLE: State = { name: 'idle' };

export class Seam {
  #state: State = IDLE;

  /** Nobody waits for the other end to call `startTLS`. */
  get isSettled(): boolean {
    const state = this.#state;
    if (state.name !== 'requested' && state.name !== 'half') return true;
    return !state.initiator.canUpgrade || (state.name === 'requested' && !state.responder.canUpgrade);
  }

  /** One end speaks TLS, and the other does not. */
  get isBroken(): boolean {
    return this.#state.name === 'half' || this.#state.name === 'misled';
  }

  request(initiator: ProtocolEnd, responder: ProtocolEnd, initiatorServes: boolean): void {
    this.#giveUpIfClosed();
    if (this.#state.name !== 'idle' || !initiator.canUpgrade || !responder.canUpgrade) return;
    this.#state = { name: 'requested', initiator, responder, initiatorServes, plainBytes: initiator.sentBytes };
    this.received(responder);
  }

  mislead(end: ProtocolEnd, isServer: boolean): void {
    if (this.#state.name !== 'idle' || !end.canUpgrade) return;
    this.#state = { name: 'misled' };
    end.upgrade(isServer);
  }

  /** Whether an end is not to write. */
  holds(end: ProtocolEnd): boolean {
    this.#giveUpIfClosed();
    const state = this.#state;
    return (state.name === 'requested' || state.name === 'half') && state.initiator === end;
  }

  /** What an end receives, without what belongs to the handshake of the other. */
  plainPartOf(end: ProtocolEnd, data: Buffer): Buffer {
    const state = this.#state;
    const isAwaited = state.name === 'half' && state.initiator === end;
    return isAwaited ? data.subarray(0, state.plainBytes - end.receivedBytes) : data;
  }

  /** An end has received something, perhaps all that it is to receive; `behind` has been read behind that. */
  received(end: ProtocolEnd, behind?: Buffer): void {
    this.#giveUpIfClosed();
    const state = this.#state;
    if (state.name !== 'requested' && state.name !== 'half') return;
    const { initiator, responder, initiatorServes, plainBytes } = state;
    if (end.receivedBytes !== plainBytes) return;
    if (state.name === 'requested') {
      if (end !== responder) return;
      this.#state = { ...state, name: 'half', plainBytes: responder.sentBytes };
      responder.upgrade(!initiatorServes);
      this.received(initiator);
    } else if (end === initiator && initiator.canUpgrade) {
      this.#state = { name: 'shaking', waiting: new Set([initiator, responder]) };
      initiator.upgrade(initiatorServes, behind);
    }
  }

  /** The handshake of an end is over. */
  completed(end: ProtocolEnd): void {
    if (this.#state.name !== 'shaking') return;
    const waiting = new Set([...this.#state.waiting].filter((other) => other !== end));
    this.#state = waiting.size === 0 ? IDLE : { name: 'shaking', waiting };
  }

  #giveUpIfClosed(): void {
    if (this.#state.name !== 'requested') return;
    const { initiator, responder } = this.#state;
    if (!initiator.canUpgrade || !responder.canUpgrade) this.#state = IDLE;
  }
}
