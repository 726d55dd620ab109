/** What failed handshakes mean: the one table from the codes of Node and OpenSSL to error classes. */
import { type Address, printablePath } from '../addresses.ts';
import { CertificateError, PeerVerifyError, SSLError, VerifyError } from '../errors.ts';
import type { SystemError } from '../interfaces/platform.ts';

/** Verification of a chain; the names are OpenSSL's, X509_V_ERR_… */
const VERIFY_CODES: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CRL_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
  'CRL_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'OUT_OF_MEM',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  // What Node calls those for which it has no name, such as a signature that is too weak.
  'UNSPECIFIED',
]);

/** The peer has a certificate, but not the one we want, or it has none. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
]);

/** Alerts by which the peer says what it thinks of our certificate (RFC 8446, section 6.2). */
const PEER_VERIFY_CODE =
  /_ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|CERTIFICATE_REQUIRED|ACCESS_DENIED)$/;

/** Whatever else goes wrong in the TLS protocol. */
const SSL_CODE = /^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$)/;

/** What to call a peer of whom only the address is known: its host, or the path of its socket. */
export function peerNameOf(address: Address): string {
  if (address.family !== 'UNIX') return address.host;
  return address.name === undefined ? 'a UNIX socket' : printablePath(address.name);
}

/**
 * The error for a handshake with `hostname` that failed so, if it was TLS that failed; undefined if the connection below
 * has broken.
 */
export function tlsErrorFor(error: SystemError, hostname: string): Error | undefined {
  const { code, message } = error;
  const options = { cause: error };
  const sentence = `The TLS handshake with ${hostname} failed: ${message}`;
  if (VERIFY_CODES.has(code)) {
    return new VerifyError(`The certificate of ${hostname} cannot be verified: ${message}`, hostname, code, options);
  }
  if (CERTIFICATE_CODES.has(code)) return new CertificateError(sentence, hostname, options);
  return rejectionOf(error, hostname) ?? (SSL_CODE.test(code) ? new SSLError(sentence, options) : undefined);
}

/**
 * The error for a peer that rejects our certificate. A server does it after the client has taken the handshake for
 * completed (TLS 1.3), so it may come at any time.
 */
export function rejectionOf(error: SystemError, hostname: string): PeerVerifyError | undefined {
  const { code, message } = error;
  if (!PEER_VERIFY_CODE.test(code)) return undefined;
  return new PeerVerifyError(`${hostname} did not accept our certificate: ${message}`, hostname, code, {
    cause: error,
  });
}
