// The least a Node program that is scraped can be: it answers every request with the same bytes. What it shows is what
// Node and the machine take by themselves. Arguments: port, bytes.
const { createServer } = require('node:http');

const [port = 0, bytes = 0] = process.argv.slice(2).map(Number);
const body = Buffer.alloc(bytes, '\n');
createServer((_, response) => {
  response.writeHead(200, { 'content-length': body.length });
  response.end(body);
}).listen(port, '127.0.0.1');
