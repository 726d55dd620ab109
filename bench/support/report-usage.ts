/**
 * The measured end of a MeasuredServer: sends the port to the parent, and on each message the user and system CPU time used
 * since the last one, in microseconds.
 */
export function reportUsage(port: number): void {
  let usageBefore = process.cpuUsage();
  process.on('message', () => {
    const { user, system } = process.cpuUsage(usageBefore);
    usageBefore = process.cpuUsage();
    process.send?.({ user, system });
  });
  process.send?.({ port });
}
