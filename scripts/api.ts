/**
 * The public API of every entry, listed in etc/<entry>.api.md and checked in: a change of the API shows in review as
 * a change of these files.
 *
 * `npm run api` compares and fails on a difference; `npm run api:update` writes. Both read dist/, so build first.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = resolve(import.meta.dirname, '..');
const update = process.argv.includes('--local');

interface Manifest {
  exports: Record<string, string | { types: string }>;
}

/** The entries that have types: `[name of the listing, path of the declarations]`. */
function entries(): [string, string][] {
  // The manifest is ours, and its shape is checked by publint.
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  return Object.entries(manifest.exports).flatMap(([subpath, target]): [string, string][] =>
    typeof target === 'string'
      ? []
      : [[['ropewalk', ...subpath.split('/').slice(1)].join('-'), join(root, target.types)]],
  );
}

function configure(name: string, declarations: string): ExtractorConfig {
  const quiet = { logLevel: ExtractorLogLevel.None };
  return ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: declarations,
      compiler: { tsconfigFilePath: join(root, 'tsconfig.build.json') },
      newlineKind: 'lf',
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: join(root, 'etc'),
        reportTempFolder: join(root, 'etc/tmp'),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning },
          // Everything an entry exports is public: there are no release tags to forget.
          'ae-missing-release-tag': quiet,
          'ae-unresolved-link': quiet,
          // The listing marks them itself.
          'ae-undocumented': quiet,
          // A type that is reachable and not exported is listed (includeForgottenExports), and so reviewed.
          'ae-forgotten-export': quiet,
        },
        tsdocMessageReporting: { default: quiet },
      },
    },
  });
}

mkdirSync(join(root, 'etc/tmp'), { recursive: true });

const stale: string[] = [];
for (const [name, declarations] of entries()) {
  const result = Extractor.invoke(configure(name, declarations), {
    localBuild: update,
    showVerboseMessages: false,
    messageCallback: (message) => {
      // Its own word on a difference points at its own commands; ours is below.
      if (message.messageId === 'console-api-report-not-copied') message.handled = true;
      if (message.messageId === 'console-preamble') message.handled = true;
    },
  });
  if (result.apiReportChanged && !update) stale.push(`etc/${name}.api.md`);
  else if (!result.succeeded) process.exitCode = 1;
}
if (stale.length > 0) {
  console.error(`The public API differs from what is checked in: ${stale.join(', ')}.`);
  console.error('If that is meant, run `npm run api:update` and say it in CHANGELOG.md.');
  process.exitCode = 1;
}
