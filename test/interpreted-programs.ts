// Real programs that an interpreter runs, as their packages start them: on the JVM, on Erlang, in Python and in Node.js.
// The other programs are in programs.ts; programs.e2e.ts runs both tables.
import { dirname } from 'node:path';
import { freePort } from './harness.ts';
import { HTTP, type Program } from './place.ts';

/** Keeps the JVM small and out of /tmp. It is in the environment, so that the command line stays the package's own. */
const JVM = { JAVA_TOOL_OPTIONS: '-Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData' };

const GUNICORN: Program['start'] = async (place, path) => {
  place.file('hello.py', 'def app(environ, start):\n    start("200 OK", [])\n    return [b"hello"]\n');
  const address = `127.0.0.1:${place.port}`;
  const flags = ['--chdir', place.dir, '--worker-tmp-dir', place.folder('workers', 'nobody', 'nobody')];
  const env = { PYTHONPATH: place.dir, PYTHONDONTWRITEBYTECODE: '1' };
  place.run([path, ...flags, '--bind', address, '--workers', '2', 'hello:app'], { user: 'nobody', env });
  await place.answers(HTTP, '200 OK');
};

const CELERY: Program['start'] = async (place, path) => {
  const queue = place.folder('queue', 'nobody');
  const folders = ['data_folder_in', 'data_folder_out', 'control_folder'].map((key) => `"${key}": "${queue}"`);
  const broker = `broker="filesystem://", broker_transport_options={${folders.join(', ')}}`;
  place.file('jobs.py', `from celery import Celery\napp = Celery("jobs", ${broker})\n`);
  const options = { user: 'nobody', env: { PYTHONPATH: place.dir, PYTHONDONTWRITEBYTECODE: '1' } };
  const worker = place.run([path, '-A', 'jobs', 'worker', '--concurrency', '2', '--loglevel', 'INFO'], options);
  const beat = place.run(
    [path, '-A', 'jobs', 'beat', '--schedule', `${queue}/beat`, '--pidfile', '', '--loglevel', 'INFO'],
    options,
  );
  await Promise.all([place.says(worker, 'ready.'), place.says(beat, 'beat: Starting')]);
};

/** Without python3-setproctitle, which a Debian machine may lack, the processes have other titles. */
const untitled =
  (start: Program['start']): Program['start'] =>
  async (place, path) => {
    place.file('setproctitle.py', 'raise ImportError\n');
    await start(place, path);
  };

/** All as Debian bookworm installs them, except pm2, which comes from npm. */
export const INTERPRETED_PROGRAMS: Readonly<Record<string, Program>> = {
  rabbitmq: {
    needs: ['rabbitmq'],
    // Erlang's own helpers do not name their program: without the unit they are Erlang's.
    lands: {
      'messaging/rabbitmq': ['rabbitmq-server', 'beam.smp', 'rabbit_disk_monitor'],
      'runtime/erlang': ['epmd -daemon', 'erl_child_setup', 'inet_gethost', 'inet_gethost'],
    },
    async start(place, path) {
      for (const name of ['lib', 'log']) await place.bind(place.folder(name, 'rabbitmq'), `/var/${name}/rabbitmq`);
      await place.bind(place.folder('etc', 'rabbitmq'), '/etc/rabbitmq');
      const env = {
        HOME: '/var/lib/rabbitmq',
        RABBITMQ_NODENAME: `hk${place.port}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_NODE_PORT: place.port,
        RABBITMQ_DIST_PORT: await freePort(),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
        ERL_EPMD_PORT: await freePort(),
        ERL_EPMD_ADDRESS: '127.0.0.1',
      };
      place.run([path], { user: 'rabbitmq', env });
      await place.answers('AMQP\x00\x00\x09\x01', 'RabbitMQ');
    },
  },
  zookeeper: {
    needs: ['zookeeper'],
    lands: { 'db/zookeeper': ['org.apache.zookeeper.server.quorum.QuorumPeerMain'] },
    async start(place, path) {
      await place.bind(place.folder('log'), '/var/log/zookeeper');
      const lines = [`dataDir=${place.folder('data')}`, `clientPort=${place.port}`, 'clientPortAddress=127.0.0.1'];
      const open = ['admin.enableServer=false', '4lw.commands.whitelist=ruok', ''];
      const conf = place.file('zoo.cfg', [...lines, ...open].join('\n'));
      place.run([path, 'start-foreground', conf], { env: { ...JVM, JMXDISABLE: 'true' } });
      await place.answers('ruok', 'imok');
    },
  },
  tomcat: {
    needs: ['tomcat'],
    lands: { 'web/tomcat': ['org.apache.catalina.startup.Bootstrap'] },
    async start(place, path) {
      const connector = `<Connector address="127.0.0.1" port="${place.port}"/>`;
      const engine = '<Engine name="Catalina" defaultHost="localhost"><Host name="localhost"/></Engine>';
      const service = `<Service name="Catalina">${connector}${engine}</Service>`;
      place.file('conf/server.xml', `<Server port="-1">${service}</Server>\n`);
      const folders = { CATALINA_BASE: place.dir, CATALINA_TMPDIR: place.folder('temp') };
      place.run([path, 'run'], { env: { ...JVM, CATALINA_HOME: dirname(dirname(path)), ...folders } });
      await place.answers(HTTP, 'HTTP/1.1 404');
    },
  },
  activemq: {
    needs: ['activemq'],
    lands: { 'messaging/activemq': ['sh -c "/usr/bin/java"', 'java /usr/bin/java'] },
    async start(place, path) {
      const instance = 'etc/instances-enabled/main';
      const memory = 'ACTIVEMQ_OPTS="-Xms32M -Xmx96M -Dorg.apache.activemq.UseDedicatedTaskRunner=true"';
      place.file(`${instance}/options`, `ACTIVEMQ_BASE=${place.dir}\nACTIVEMQ_USER=root\n${memory}\n`);
      const transport = `<transportConnector uri="tcp://127.0.0.1:${place.port}"/>`;
      const broker = `<broker xmlns="http://activemq.apache.org/schema/core" useJmx="false" persistent="false">
        <transportConnectors>${transport}</transportConnectors></broker>`;
      place.file(
        `${instance}/activemq.xml`,
        `<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:schemaLocation="http://www.springframework.org/schema/beans
        http://www.springframework.org/schema/beans/spring-beans-2.0.xsd http://activemq.apache.org/schema/core
        http://activemq.apache.org/schema/core/activemq-core.xsd">${broker}</beans>\n`,
      );
      place.folder('data');
      await place.bind(place.folder('etc'), '/etc/activemq');
      const env = { ...JVM, INSTANCE: 'main', ACTIVEMQ_BASE: place.dir, ACTIVEMQ_PIDFILE: `${place.dir}/pid` };
      const conf = `${place.dir}/${instance}`;
      place.run([path, 'console', 'xbean:activemq.xml'], { env: { ...env, ACTIVEMQ_CONF: conf } });
      await place.answers('', 'ActiveMQ');
    },
  },
  gunicorn: {
    needs: ['gunicorn'],
    lands: { 'web/gunicorn': ['gunicorn: master [hello:app]', 'gunicorn: worker', 'gunicorn: worker'] },
    start: GUNICORN,
  },
  'gunicorn without titles': {
    needs: ['gunicorn'],
    lands: { 'web/gunicorn': ['/usr/bin/gunicorn', '/usr/bin/gunicorn', '/usr/bin/gunicorn'] },
    start: untitled(GUNICORN),
  },
  celery: {
    needs: ['celery'],
    lands: { 'messaging/celery': ['MainProcess] -active-', 'ForkPoolWorker-1]', 'ForkPoolWorker-2]', 'beat'] },
    start: CELERY,
  },
  'celery without titles': {
    needs: ['celery'],
    lands: { 'messaging/celery': ['jobs worker', 'jobs worker', 'jobs worker', 'jobs beat'] },
    start: untitled(CELERY),
  },
  pm2: {
    needs: ['pm2'],
    lands: {
      'runtime/pm2': ['God Daemon'],
      'runtime/nodejs': ['web.js', 'web.js', 'job.js'],
    },
    async start(place, path) {
      const script = place.file(
        'web.js',
        `require('http').createServer((_, r) => r.end('hello')).listen(${place.port}, '127.0.0.1');\n`,
      );
      const job = place.file('job.js', 'setInterval(() => {}, 1000);\n');
      const apps = [
        { name: 'web', script, instances: 2, exec_mode: 'cluster' },
        { name: 'job', script: job },
      ];
      const ecosystem = place.file('ecosystem.config.json', JSON.stringify({ apps }));
      const env = { PM2_HOME: `${place.dir}/.pm2`, PM2_DISABLE_VERSION_CHECK: 'true' };
      await place.complete([process.execPath, path, 'start', ecosystem], { env });
      await place.answers(HTTP, 'hello');
    },
  },
};
