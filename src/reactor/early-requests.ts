/** Something that was asked for: it is done later or, if it never can be, dropped. */
export interface EarlyRequest {
  readonly run: () => void;
  readonly drop?: () => void;
}

type State = { readonly name: 'early'; readonly requests: EarlyRequest[] } | { readonly name: 'over' };

/**
 * What is asked of something that was handed out before it has begun: it is kept, in order, until `end` gives it back. From then on
 * what is asked is done at once.
 */
export class EarlyRequests {
  #state: State = { name: 'early', requests: [] };

  get isEarly(): boolean {
    return this.#state.name === 'early';
  }

  /** Whether anything is kept. */
  get isAsked(): boolean {
    return this.#state.name === 'early' && this.#state.requests.length > 0;
  }

  /** Does it now, or keeps it. */
  ask(request: EarlyRequest): void {
    if (this.#state.name === 'early') this.#state.requests.push(request);
    else request.run();
  }

  /** It begins, or never will: gives back what was asked, for the caller to run or to drop. */
  end(): readonly EarlyRequest[] {
    const requests = this.#state.name === 'early' ? this.#state.requests : [];
    this.#state = { name: 'over' };
    return requests;
  }
}
