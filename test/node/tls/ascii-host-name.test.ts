import { expect } from 'chai';
import { asciiHostName } from '../../../src/node/tls/ascii-host-name.ts';

describe('asciiHostName', () => {
  const table: readonly (readonly [name: string, ascii: string | undefined])[] = [
    ['localhost', 'localhost'],
    ['localhost.', 'localhost'],
    ['Other.Example.', 'other.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example.', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['bücher。example。', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['*.bücher.example', '*.xn--bcher-kva.example'],
    ['_sip.example', '_sip.example'],
    // No address is made of a name that looks like one.
    ['1.2', '1.2'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['two words.bücher.example', undefined],
    ['.', undefined],
    ['', undefined],
  ];
  for (const [name, ascii] of table) {
    it(`makes ${String(ascii)} of '${name}'`, () => {
      expect(asciiHostName(name)).to.equal(ascii);
    });
  }
});
