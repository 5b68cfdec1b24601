// Arguments: REALM ALGORITHM USER PASSWORD. The Digest of `http-auth` on 127.0.0.1; the first line printed is the port.
'use strict';

const { createHash } = require('node:crypto');
const http = require('node:http');
const auth = require('http-auth');

const [realm, algorithm, user, password] = process.argv.slice(2);
const digest = auth.digest({ realm, algorithm }, (name, hash) => {
  hash(name === user ? createHash('md5').update(`${user}:${realm}:${password}`).digest('hex') : '');
});

const server = http.createServer(digest.check((request, response) => {
  let length = 0;
  request.on('data', (chunk) => { length += chunk.length; });
  request.on('end', () => response.end(`${request.user}: ${request.method} ${request.url} with ${length} bytes\n`));
}));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
