/**
 * How many turns of the host's event loop a virtual world waits, with nothing happening in it, before it takes work done
 * outside for finished. Node's TLS takes up to three for one step of a handshake.
 */
const QUIET_TURNS = 10;

/**
 * Work that the host does for a virtual world, in turns of its own event loop and not of the world's: TLS. A world in which
 * there is some does not let time go on before the host has been given its turns.
 */
export class OutsideWork {
  #isUsed = false;
  #turnsLeft = 0;

  /** From now on the world depends on the host. */
  use(): void {
    this.#isUsed = true;
  }

  /** Something has happened in the world, which the host may have to answer. */
  stir(): void {
    if (this.#isUsed) this.#turnsLeft = QUIET_TURNS;
  }

  /** Counts one turn of the host. Returns whether it should be given it. */
  takeTurn(): boolean {
    if (this.#turnsLeft === 0) return false;
    this.#turnsLeft -= 1;
    return true;
  }
}
