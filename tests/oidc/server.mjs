// A real OAuth server on loopback for tests/oauth_server.rs: the project's programs against what it did not write.
//
// Only settings stand here. It rotates every refresh token, ends a whole grant when an old one comes back, wants PKCE,
// and ends itself when standard input is closed, so that it never outlives its test. Its client is given on the
// command line as `node server.mjs DIR ID`, with the secret on the first line of standard input; DIR is where the
// packages of package-lock.json are installed.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [, , packages, clientId] = process.argv;
const found = createRequire(`${packages}/`).resolve('oidc-provider');
const { Provider } = await import(found);

const input = createInterface({ input: process.stdin });
const secret = await new Promise((resolve) => input.once('line', resolve));
input.once('close', () => process.exit());

// The issuer names the port, so the port is taken first.
const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      client_secret: secret,
      application_type: 'native',
      // Any port of 127.0.0.1, as RFC 8252 says.
      redirect_uris: ['http://127.0.0.1/'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  scopes: ['openid', 'https://www.googleapis.com/auth/spreadsheets'],
  pkce: { required: () => true },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
});

server.on('request', provider.callback());
console.log(`listening on ${issuer}`);
