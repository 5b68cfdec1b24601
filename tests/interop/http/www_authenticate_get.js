// Arguments: USER PASSWORD URL... One `www-authenticate` authenticator over node:http; prints `STATUS BODY` for each URL.
'use strict';

const http = require('node:http');
const authenticate = require('www-authenticate');

const [user, password, ...urls] = process.argv.slice(2);
const authenticator = authenticate.authenticator(user, password);

function get(url) {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname, search } = new URL(url);
    const options = { hostname, port, path: pathname + search, method: 'GET', headers: {}, agent: false };
    authenticator.authenticate_request_options(options);
    http.request(options, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ answer, body: Buffer.concat(chunks).toString('utf8').trim() }));
    }).on('error', reject).end();
  });
}

async function main() {
  for (const url of urls) {
    let { answer, body } = await get(url);
    if (answer.statusCode === 401) {
      const error = authenticator.get_challenge(answer);
      if (error) throw new Error(error);
      ({ answer, body } = await get(url));
    }
    console.log(answer.statusCode, body);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
