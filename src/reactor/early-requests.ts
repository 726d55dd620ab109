import { QueueOverflow } from '../errors.ts';

/** Something that was asked for: it is done later or, if it never can be, dropped. */
export interface EarlyRequest {
  readonly run: () => void;
  readonly drop?: () => void;
}

/** How much may be asked for. Nobody has that much to ask but a program that goes round in circles. */
const REQUESTS_MAX = 10_000;

type State =
  | { readonly name: 'early'; readonly requests: EarlyRequest[]; readonly asked: Set<string> }
  | { readonly name: 'over' };

/**
 * What is asked of something that was handed out before it has begun: it is kept, in order, until `end` gives it back. From then on
 * what is asked is done at once.
 */
export class EarlyRequests {
  #state: State = { name: 'early', requests: [], asked: new Set() };

  get isEarly(): boolean {
    return this.#state.name === 'early';
  }

  /** Whether anything is kept. */
  get isAsked(): boolean {
    return this.#state.name === 'early' && this.#state.requests.length > 0;
  }

  /** Does it now, or keeps it. Throws `QueueOverflow`, and keeps nothing, when 10,000 are kept already. */
  ask(request: EarlyRequest): void {
    if (this.#state.name === 'over') {
      request.run();
      return;
    }
    if (this.#state.requests.length >= REQUESTS_MAX) {
      throw new QueueOverflow(`More than ${String(REQUESTS_MAX)} requests were made before the beginning`);
    }
    this.#state.requests.push(request);
  }

  /** Does it now, or keeps it, unless the same, by its key, is kept already. Is never refused: there are to be few keys. */
  askOnce(key: string, run: () => void): void {
    if (this.#state.name === 'over') {
      run();
      return;
    }
    if (this.#state.asked.has(key)) return;
    this.#state.asked.add(key);
    this.#state.requests.push({ run });
  }

  /** It begins, or never will: gives back what was asked, for the caller to run or to drop. */
  end(): readonly EarlyRequest[] {
    const requests = this.#state.name === 'early' ? this.#state.requests : [];
    this.#state = { name: 'over' };
    return requests;
  }
}
