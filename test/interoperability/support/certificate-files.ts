import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, type TestCertificates, testCertificates } from '../../support/certificates.ts';

/** The certificates of the tests, and as files for programs that are not ours. */
export interface CertificateFiles extends TestCertificates {
  /** The authority that the tests trust. */
  readonly caFile: string;
  /** A file of this name and content, for as long as the suite runs. */
  file(name: string, content: string | Uint8Array): string;
  /** The files of a key and of its certificate. */
  files(identity: Identity): { readonly key: string; readonly cert: string };
  /** One file with both. */
  bothIn(identity: Identity): string;
  /** A file that is not there yet. */
  path(name: string): string;
}

/** Gives a suite the certificates, in a folder that is removed with it. */
export function useCertificateFiles(): () => CertificateFiles {
  let files: CertificateFiles | undefined;
  let folder: string;
  before(async function () {
    this.timeout(10_000); // they are made once in a test run, by whoever comes first
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-tls-'));
    files = write(folder, await testCertificates());
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  return () => {
    if (files === undefined) throw new Error('There are certificates only while a suite runs');
    return files;
  };
}

function write(folder: string, certificates: TestCertificates): CertificateFiles {
  const path = (name: string): string => join(folder, name);
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(path(name), content);
    return path(name);
  };
  let count = 0;
  return {
    ...certificates,
    caFile: file('ca.pem', certificates.ca),
    path,
    file,
    files: ({ key, cert }) => {
      count += 1;
      return { key: file(`${count}-key.pem`, key), cert: file(`${count}-cert.pem`, cert) };
    },
    bothIn: ({ key, cert }) => {
      count += 1;
      return file(`${count}.pem`, key + cert);
    },
  };
}
