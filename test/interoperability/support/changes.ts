/** Waits for things, which are looked for again whenever something is said to have happened. */
export class Changes {
  #waiters: (() => void)[] = [];

  /** Resolves with what `look` finds, as soon as it does; rejects with what it throws. The test's time-out is the limit. */
  async first<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Resolves as soon as the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    await this.first(() => condition() || undefined);
  }

  happened(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
