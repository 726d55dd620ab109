import { existsSync } from 'node:fs';

const SYSTEM_PYTHON = '/usr/bin/python3';

/** The system's own Python where it has one: what stands first on the path may be a script that looks for one of several. */
export const PYTHON: string = existsSync(SYSTEM_PYTHON) ? SYSTEM_PYTHON : 'python3';
