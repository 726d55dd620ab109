/**
 * A pool that does work elsewhere, in threads or processes: the shape of `piscina` and of those like it. The package
 * itself has none, and asks for no more than this.
 */
export interface WorkerPool<Task, Result> {
  /**
   * Has a worker do the task, and tells its result. `signal` aborts when nobody wants that any more: a task that waits
   * for a worker need not be begun then, and one that is being done may be broken off. A pool that takes more options than
   * `signal` is given those of `deferToWorkerPool`.
   */
  run(task: Task, options: { readonly signal: AbortSignal }): PromiseLike<Result>;
}
