/** What `listenTCP`, `connectTCP` and their like take for what they are not told; Twisted's defaults. */
export const DEFAULT_BACKLOG = 50;
export const DEFAULT_CONNECT_TIMEOUT_SECONDS = 30;
