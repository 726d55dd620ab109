/**
 * Certificates for the tests of TLS: made in memory, once in a test run, so that there are no keys in the repository and
 * none that expire in it.
 */
import { webcrypto } from 'node:crypto';
import { PemConverter, X509Certificate, X509CrlGenerator } from '@peculiar/x509';
import { generate } from 'selfsigned';

const DAY_MILLISECONDS = 86_400_000;

/** Under these the tests reach a server. */
const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** A private key and the certificate for it, in PEM, by the names that `node:tls` has for them. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** One of each kind that a peer can turn up with. */
export interface TestCertificates {
  /** The certificate of the authority that the tests trust, for `ca`. */
  readonly ca: string;
  /** Issued by it, for localhost, 127.0.0.1 and ::1. */
  readonly server: Identity;
  /** The same for another name than localhost; for servers of several names, and for clients who want that one. */
  readonly otherServer: Identity & { readonly name: string };
  /** Issued by the authority for a client, whose name is the common name of the subject. */
  readonly client: Identity & { readonly name: string };
  /** As `server`, but no longer valid since yesterday. */
  readonly expired: Identity;
  /** As `server`, but not valid before tomorrow. */
  readonly notYetValid: Identity;
  /** Issued by the authority, but for a host where nobody of us is. */
  readonly wrongHost: Identity;
  /** As `server`, but issued by nobody but itself. */
  readonly selfSigned: Identity;
  /** As `server`, but issued by an authority that the tests do not trust. */
  readonly untrusted: Identity & { readonly ca: string };
  /** As `server`, but taken back by the authority, whose list says so. */
  readonly revoked: Identity & { readonly crl: string };
  /** As `otherServer`, for every name of one label below a domain. */
  readonly wildcard: Identity & { readonly domain: string };
  /** As `otherServer`, for a name beyond ASCII, which stands in the certificate as `asciiName`. */
  readonly international: Identity & { readonly name: string; readonly asciiName: string };
}

let made: Promise<TestCertificates> | undefined;

/** The certificates of this test run. */
export function testCertificates(): Promise<TestCertificates> {
  made ??= makeAll();
  return made;
}

async function makeAll(): Promise<TestCertificates> {
  const [authority, stranger] = await Promise.all([
    make({ commonName: 'The authority of the tests', isAuthority: true }),
    make({ commonName: 'Another authority', isAuthority: true }),
  ]);
  const forServer = { commonName: 'localhost', names: LOOPBACK_NAMES };
  const otherName = 'other.example';
  const clientName = 'a client';
  const domain = 'wild.example';
  const asciiName = 'xn--bcher-kva.example';
  const [
    server,
    otherServer,
    client,
    expired,
    notYetValid,
    wrongHost,
    selfSigned,
    untrusted,
    revoked,
    wildcard,
    international,
  ] = await Promise.all([
    make({ ...forServer, issuer: authority }),
    make({ commonName: otherName, names: [otherName], issuer: authority }),
    make({ commonName: clientName, issuer: authority }),
    make({ ...forServer, issuer: authority, fromDay: -2, toDay: -1 }),
    make({ ...forServer, issuer: authority, fromDay: 1, toDay: 2 }),
    make({ commonName: 'elsewhere.example', names: ['elsewhere.example'], issuer: authority }),
    make(forServer),
    make({ ...forServer, issuer: stranger }),
    make({ ...forServer, issuer: authority }),
    make({ commonName: `*.${domain}`, names: [`*.${domain}`], issuer: authority }),
    make({ commonName: asciiName, names: [asciiName], issuer: authority }),
  ]);
  return {
    ca: authority.cert,
    server,
    otherServer: { ...otherServer, name: otherName },
    client: { ...client, name: clientName },
    expired,
    notYetValid,
    wrongHost,
    selfSigned,
    untrusted: { ...untrusted, ca: stranger.cert },
    revoked: { ...revoked, crl: await listOfRevoked(authority, revoked) },
    wildcard: { ...wildcard, domain },
    international: { ...international, name: 'bücher.example', asciiName },
  };
}

/** What the authority says that it has taken back, in PEM. */
async function listOfRevoked(authority: Identity, ...revoked: readonly Identity[]): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const [keyInfo] = PemConverter.decode(authority.key);
  if (keyInfo === undefined) throw new Error('the authority has no key');
  const signingKey = await webcrypto.subtle.importKey('pkcs8', keyInfo, algorithm, false, ['sign']);
  const list = await X509CrlGenerator.create({
    issuer: new X509Certificate(authority.cert).subject,
    thisUpdate: dayFromNow(-1),
    nextUpdate: dayFromNow(1),
    entries: revoked.map(({ cert }) => ({
      serialNumber: new X509Certificate(cert).serialNumber,
      revocationDate: dayFromNow(-1),
    })),
    signingAlgorithm: algorithm,
    signingKey,
  });
  // OpenSSL wants another label than the library gives.
  return list.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----');
}

interface Subject {
  readonly commonName: string;
  /** The hosts and addresses that it is for; without any it is for a client. */
  readonly names?: readonly string[];
  readonly isAuthority?: boolean;
  /** Who signs it; by default it does so itself. */
  readonly issuer?: Identity;
  /** When it begins and ends to be valid, in days from now. */
  readonly fromDay?: number;
  readonly toDay?: number;
}

async function make(subject: Subject): Promise<Identity> {
  const { commonName, issuer, fromDay = -1, toDay = 1 } = subject;
  const { private: key, cert } = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: dayFromNow(fromDay),
    notAfterDate: dayFromNow(toDay),
    extensions: extensionsOf(subject),
    ...(issuer !== undefined && { ca: issuer }),
  });
  return { key, cert };
}

type Extensions = NonNullable<NonNullable<Parameters<typeof generate>[1]>['extensions']>;

function extensionsOf({ names = [], isAuthority = false }: Subject): Extensions {
  if (isAuthority) {
    return [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ];
  }
  const isServer = names.length > 0;
  const extensions: Extensions = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', serverAuth: isServer, clientAuth: !isServer },
  ];
  if (isServer) extensions.push({ name: 'subjectAltName', altNames: names.map(altName) });
  return extensions;
}

/** By the numbers of RFC 5280: 2 is a DNS name, 7 an address. */
function altName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return /^[\d.]+$|:/.test(name) ? { type: 7, ip: name } : { type: 2, value: name };
}

function dayFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MILLISECONDS);
}
