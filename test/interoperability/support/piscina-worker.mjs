/** What the threads of the pool in piscina.test.ts do. Plain JavaScript, so that a thread starts without a loader. */
import { threadId } from 'node:worker_threads';

export function factorise(number) {
  const factors = [];
  let rest = number;
  for (let factor = 2; factor <= rest; factor += 1) {
    for (; rest % factor === 0; rest /= factor) factors.push(factor);
  }
  return { factors, threadId };
}

export function fail(message) {
  throw new RangeError(message);
}

/** Says that it has begun, and never ends. */
export function hang(port) {
  port.postMessage('began');
  for (;;);
}

/** How many bytes it was handed. */
export function sizeOf(buffer) {
  return buffer.byteLength;
}
