import { spawnSync } from 'node:child_process';

/** A program that is not ours, and how to find out whether this machine has it. */
export interface PeerProgram {
  readonly name: string;
  /** What to install on Debian. */
  readonly packageName: string;
  readonly command: string;
  readonly probe: readonly string[];
  /** What the probe prints, to stdout or stderr, where the program is there. */
  readonly answer: RegExp;
}

export const TWISTED: PeerProgram = {
  name: 'Twisted',
  packageName: 'python3-twisted',
  command: '/usr/bin/python3', // Debian's own: the package is for no other
  probe: ['-c', 'import twisted; print("Twisted", twisted.__version__)'],
  answer: /^Twisted \d/m,
};

/** Twisted speaks TLS by pyOpenSSL, and checks names by service_identity. */
export const TWISTED_TLS: PeerProgram = {
  name: 'Twisted with TLS',
  packageName: 'python3-twisted python3-openssl python3-service-identity',
  command: TWISTED.command,
  probe: ['-c', 'import OpenSSL, service_identity, twisted; print("Twisted", twisted.__version__)'],
  answer: TWISTED.answer,
};

/** From 3.0 on; older ones print other words. */
export const OPENSSL: PeerProgram = {
  name: 'OpenSSL',
  packageName: 'openssl',
  command: 'openssl',
  probe: ['version'],
  answer: /^OpenSSL [3-9]/m,
};

export const SOCAT: PeerProgram = {
  name: 'socat',
  packageName: 'socat',
  command: 'socat',
  probe: ['-V'],
  answer: /socat version/,
};

/** There are several programs of this name, with other options. */
export const NETCAT: PeerProgram = {
  name: "OpenBSD's netcat",
  packageName: 'netcat-openbsd',
  command: 'nc',
  probe: ['-h'],
  answer: /^OpenBSD netcat/m,
};

export const REDIS: PeerProgram = {
  name: 'Redis',
  packageName: 'redis-server',
  command: 'redis-server',
  probe: ['--version'],
  answer: /^Redis server v=/m,
};

export const SYSTEMD: PeerProgram = {
  name: 'systemd-socket-activate',
  packageName: 'systemd',
  command: 'systemd-socket-activate',
  probe: ['--version'],
  answer: /^systemd \d/m,
};

/** With it comes the library that gives a process a clock of its own. */
export const FAKETIME: PeerProgram = {
  name: 'libfaketime',
  packageName: 'faketime',
  command: 'faketime',
  probe: ['--version'],
  answer: /^faketime: Version/m,
};

/** For hooks that start a program, on a machine that is busy with much else. */
export const STARTING_MILLISECONDS = 10_000;

/**
 * Skips the suite it is called in, and says why, where the program is missing. To be called before any other hook of
 * the suite is registered: those after it are skipped as well.
 */
export function requirePeer(peer: PeerProgram): void {
  before(function () {
    this.timeout(STARTING_MILLISECONDS);
    const { stdout, stderr, error } = spawnSync(peer.command, peer.probe, { encoding: 'utf8' });
    if (error === undefined && peer.answer.test(`${stdout}\n${stderr}`)) return;
    console.warn(`    skipped: ${peer.name} is not here (Debian's package: ${peer.packageName})`);
    this.skip();
  });
}
