// The smallest Node program that can be scraped: it answers every request with the same bytes. It shows how much Node and
// the machine need by themselves. Arguments: port, bytes.
const { createServer } = require('node:http');

const [port = 0, bytes = 0] = process.argv.slice(2).map(Number);
const body = Buffer.alloc(bytes, '\n');
createServer((_, response) => {
  response.writeHead(200, { 'content-length': body.length });
  response.end(body);
}).listen(port, '127.0.0.1');
