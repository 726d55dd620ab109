import { expect } from 'chai';
import {
  CertificateError,
  ConnectError,
  HostnameAddress,
  IPv4Address,
  IPv6Address,
  PeerVerifyError,
  SSLError,
  UNIXAddress,
  VerifyError,
} from 'ropewalk/core';
import type { SystemError } from '../../src/interfaces/platform.ts';
import { peerNameOf, rejectionOf, tlsErrorFor } from '../../src/reactor/tls-errors.ts';

const HOST = 'host.example';

function failureWith(code: string, message = 'what the host says'): SystemError {
  return Object.assign(new Error(message), { code });
}

describe('tlsErrorFor', () => {
  const table: readonly (readonly [type: abstract new (...args: never[]) => Error, codes: readonly string[]])[] = [
    [
      VerifyError,
      [
        'CERT_HAS_EXPIRED',
        'CERT_NOT_YET_VALID',
        'CERT_REVOKED',
        'CERT_SIGNATURE_FAILURE',
        'CERT_CHAIN_TOO_LONG',
        'CRL_HAS_EXPIRED',
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'INVALID_CA',
        'INVALID_PURPOSE',
        'SELF_SIGNED_CERT_IN_CHAIN',
        'UNABLE_TO_GET_CRL',
        'UNABLE_TO_GET_ISSUER_CERT',
        'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'UNSPECIFIED',
      ],
    ],
    [
      CertificateError,
      ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH', 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ],
    [
      PeerVerifyError,
      [
        'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
        'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
        'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
        'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
        'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
        'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
        'ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE',
        'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
      ],
    ],
    [
      SSLError,
      [
        'ERR_SSL_WRONG_VERSION_NUMBER',
        'ERR_SSL_UNSUPPORTED_PROTOCOL',
        'ERR_SSL_NO_SHARED_CIPHER',
        'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
        'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
        'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
        'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
        'ERR_OSSL_EVP_UNSUPPORTED',
        'EPROTO',
      ],
    ],
  ];
  for (const [type, codes] of table) {
    it(`gives ${type.name}, of no other kind, with the host and the cause`, () => {
      for (const code of codes) {
        const cause = failureWith(code);
        const error = tlsErrorFor(cause, HOST);
        expect(error?.constructor, code).to.equal(type);
        expect(error?.message, code).to.contain(HOST).and.to.contain('what the host says');
        expect(error?.cause, code).to.equal(cause);
        if (error instanceof VerifyError) expect([error.hostname, error.reason]).to.deep.equal([HOST, code]);
        if (error instanceof CertificateError) expect(error.hostname).to.equal(HOST);
      }
    });
  }

  it('gives nothing for what is no matter of TLS', () => {
    for (const code of ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UNKNOWN', 'ERR_STREAM_DESTROYED', 'XERR_SSL_X']) {
      expect(tlsErrorFor(failureWith(code), HOST), code).to.be.undefined;
    }
  });

  it('gives errors of the kinds that attempts to connect fail with', () => {
    expect(tlsErrorFor(failureWith('EPROTO'), HOST)).to.be.instanceOf(ConnectError);
    expect(tlsErrorFor(failureWith('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), HOST)).to.be.instanceOf(VerifyError);
  });
});

describe('peerNameOf', () => {
  it('is the host, or the path', () => {
    expect(peerNameOf(new IPv4Address('TCP', '192.0.2.1', 443))).to.equal('192.0.2.1');
    expect(peerNameOf(new IPv6Address('TCP', '2001:db8::1', 443))).to.equal('2001:db8::1');
    expect(peerNameOf(new HostnameAddress('TCP', HOST, 443))).to.equal(HOST);
    expect(peerNameOf(new UNIXAddress('/run/a'))).to.equal('/run/a');
    expect(peerNameOf(new UNIXAddress('\0a'))).to.equal('@a');
    expect(peerNameOf(new UNIXAddress(undefined))).to.equal('a UNIX socket');
  });
});

describe('rejectionOf', () => {
  it('gives PeerVerifyError for the alerts about certificates, and for nothing else', () => {
    const error = rejectionOf(failureWith('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), HOST);
    expect(error).to.be.instanceOf(PeerVerifyError);
    expect(error).to.include({
      hostname: HOST,
      reason: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      code: 'ERR_PEER_VERIFY',
    });
    for (const code of [
      'ECONNRESET',
      'CERT_HAS_EXPIRED',
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA_NOT',
    ]) {
      expect(rejectionOf(failureWith(code), HOST), code).to.be.undefined;
    }
  });
});
