// The words that a command line may show wherever they stand: commands, modes and states, such as `start`, `server`,
// `json`. A word that people choose as a password (`admin`, `test`, `master`, `postgres`) is not among them, whatever
// else it means. Names of options are made of more words, since a name is no secret.

const list = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** Words of commands, modes, states, formats and protocols. */
const PLAIN = list(`
  abort accept add address agent alert alias all allow always analyze any api append apply archive args ask async attach
  audit auto automatic background backup base batch beat bench block boot bootstrap bridge broker browse browser build
  bundle bus cache cat cert change check clean clear client clone close cluster collect collector command commit compact
  compile compose compress compute config configure connect connection console consume consumer container context
  controller convert coordinator copy core count create cron daemon daemonize daemonized dashboard data database debug delete deploy
  describe detach dev device diff dir directory disable disabled discover disk display do domain done down download
  driver dry dump echo edit else embedded enable enabled encode engine env error esac eval event events every exec
  execute executor exit export exporter expose extract fatal fetch fi file files filter find flush folder follow fork for
  foreground format forward from frontend full func gateway gc generate get git global grep group groups handler head
  headless health help hide hook horizon host hostname http https idle if image import in incr increment index info infinity
  ingest ingress init input insert inspect install instance interactive interface internal interval ip ipc item iterate
  job jobs join journal keep kernel kill label launch launcher layer leader lease left length level limit line link list
  listen listener live load local lock log logger logging login logout logs loop ls main manage map merge message
  metric metrics migrate mirror missing mode model module monitor mount move name namespace netns network never new next
  no node none nop normal notice notify null object off offline on once online only open operator option optional origin
  output overlay override pack package page parse partition patch path pause peer pending pid ping pipe plan platform plugin
  policy pool port prepare print priv process processes processor producer production profile project prometheus
  protocol provider provision proxy prune publish pull purge push query queue quiet quit raw read readonly ready
  rebuild receive receiver record recover redirect refresh register registry release reload remote remove rename render
  renderer repair repeat replace replica replicate report repository request require reset resolve resource restart
  restore result resume retry return reverse rewrite right rm roll rollback root-only rotate route router rule rules run
  runner runserver runtime runworker sandbox save scale scan schedule scheduler schema scope script search select send
  sender sensor serve server service services session set setting settings setup shard share shared shell shim show
  shutdown silent simple single size skip sleep slave slot smart snapshot socket source spawn speed split stack staging
  standalone standby splash start startup startups stat state statement static stats status stdin stdout stderr step stop storage store
  stream strict string subscribe suspend swap switch switchover sync syslog systemd table tag tail target task tcp
  template temp term text then thread threads timeout timer title tmp top trace traditional traffic transfer transport
  trigger try tty tune tunnel type udp umount unix unknown unlock unmount unseal until up update upgrade upload uri url
  usage use util validate value values variable verbose verify version view virtual volume wait walk wait-for warn
  warning watch watcher web while wipe worker workers workflow wrapper write writer yes zone true false off
  get post put patch delete options select insert update where and or not as by into
  ascii binary bin csv gzip hex html ini ipv4 ipv6 java javascript json jsonl latin1 lz4 markdown msgpack protobuf
  snappy sql tar toml utf-8 utf8 utf16 xml yaml yml zip zstd bash sh sha1 sha256 sha384 sha512 md5 aes aes-256-cbc
  aes-128-cbc rsa ed25519 ecdsa c99 x86 x86_64 amd64 arm64 aarch64 armv7 i386 i686 linux linux-gnu gnu posix systemd-unit
  dhcp dns ftp grpc icmp imap ldap mqtt nfs nfs4 ntp pop3 quic sctp sftp smb smtp snmp ssh ssl tls vlan vxlan websocket ws
  ext4 xfs btrfs zfs tmpfs overlayfs overlay2 fuse proc sysfs cgroup cgroups devpts qcow2 virtio virtio-serial ide scsi
  nvme kvm tcg q35 epoll kqueue select poll gevent eventlet asyncio uvloop gthread prefork mpm sync
  rw ro rx rwx suid nosuid dev nodev noexec noatime relatime defaults auto noauto remount bind rbind allow_other default_permissions
  ipv4only dual debug1 debug2 info1 low medium high max min avg sum rate p50 p95 p99 lo all-interfaces
  cron:run queue:work queue:listen schedule:run schedule:work horizon:work octane:start horizon:supervisor dt_socket
  application asgi wsgi wsgi-app asgi-app headless-shell gpu-process utility zygote renderer tab extension
  checkpointer walwriter walsender walreceiver autovacuum archiver startup logical-replication bgwriter background-writer
  autovacuum-launcher
`);

/** Further words in the names of options, properties and variables. */
const NAMES = list(`
  manager private public system
  acc access account accounts acl acquire action active adapter addr admin adv advertise affinity age aggregate algo
  algorithm allocation allowed alpine alternative anonymous app apps arch arg argument asset attr attribute auth
  authentication author authority authorization aux availability aws awt azure back backend backlog bandwidth basedir
  basic bearer before benchmark bio bits blacklist blocks blue body book bootclasspath bounds br branch buffer buffers
  bulk by bytes ca cacert cadata cafile capacity capath capture case catalina cdn certfile certificate certificates
  channel charset checkpoint child children chroot chunk cidr cipher ciphers cl class classes classpath clean cleanup
  cli clock cloud cnf code codec color columns comm comment community compat compiler component compression concurrency
  concurrent cond conf conffile confdir confd conn connections connector consistency const content contexts control
  cookie cookies cores country coverage cp cpu cpus crash creds credential credentials crit crl crt ctl curl current
  custom customer cut cwd cycle daemons datadir datasource datastore date day days db dbfile dbname dbpath dc dead
  decode dedicated default definition delay dependency depth desc desktop dest destination details dev devel devices
  dhparam digest dims dirs discovery dist doc docker docs document dom domains dpi drive drives drop dsn duration dynamic
  edge editor effective election elect email enc encoding encrypt encrypted encryption end endpoint endpoints enforce
  entry environment epoch equal errors escape etcd eth exclude expiration expire expires explicit expr ext extended
  extensions external extra facility factor factory fail failover failure fast fd fds feature features fg field fields
  filename filesystem finger first fix flag flagfile flags float font fps frame framework free freq frequency front fs
  function gateway gen geometry gid gossip graph graceful grace green grid gui guest handle hard hash header headers
  heap heartbeat height high history hmac home homedir hosts hot hour hours hub iam icon id identity ident ids iface
  ignore images immutable inactive include incoming indent indexes inet inherit initial initrd inline inner insecure
  insert instances int integer interfaces interrupt inventory io iops ips iscsi isolation iv jar java jmx jobname jvm
  kafka keepalive key keyfile keypass keyring keys keyspace keystore keytab kind kms krb kube kubeconfig kubelet labels
  lan lang language last latency latest layout ldap lease leave level levels lib libdir library libs license lifetime
  lines links linux listening loader local locale locales localhost location locks logdir logfile loglevel logto logtostderr
  long low lower lvm mac machine machines mail mapping mask master match matches max maxmemory maxsize maxconn mem member
  members memory menu meta metadata method methods mib min mins minute mirror misc mkdir mod modified modules monitoring
  month mpi mtu multi mutex my mysql names native nav nbd net nets nic noauth nodaemon nodename nodes nofork nogui nolog
  noinput nopid noreply noshell noterminal nosplash nonce notification nproc num number numa objects offset ok old
  opcache openssl ops opt options opts oracle order org os out outfile owner packages packet pages pair panel parallel
  param params parent part partner pass passin passout passphrase passwd password passwords patch pattern payload peers
  per period perm permission permissions persist persistent pg phase pidfile ping pipeline pkcs pki plain play point
  pointer policies poolsize ports pos position post pp prefix pre preload presence preserve pretty prevent primary
  principal priority privileged privkey probe probes proc profiles prog progname program project projects prom prompt
  properties property proto providers psk ptr pub pubkey pw pwd python qos quality quick quorum quota race rack random
  range ratio rbac rcfile reason rec recipient recursive redis ref refs regex region regexp reject relay reload remove
  reopen replicas replication repo repos requests requirepass reserve reserved resolver resources response restrict
  resync retain retention retries role roles root rootdir rootfs rows rpc rsync rtc run rw salt sample sampling san sas
  scheme schemas scratch screen scripts seconds secret secrets section secure security seed segment self selinux semi
  sentinel separator sequence serial serve servers sessions severity sg sha shadow shards shares shift short shm sid side
  sig sign signal signature signing silence since sink site sites sizes slots slow smp smtp snap snapshots sname sock
  sockets soft solr sort sp space spec spool spring sql sqlite squash src ssl stage start startd startup stderr stdout
  stderrthreshold stop storepass stack statefile statistics std store strategy stream streams strip style sub subject
  subnet subsystem suffix summary super superuser support suppress sys sysctl systemd tables tags take targets task tasks
  tcp team tenant term terminal test tests thread threshold throttle ticket tid tier time timeouts timestamp timezone tls
  tmpdir tmpfile tmpfs token tokens topic topics topo total trace tracing track transaction trust trusted truststore
  ttl tx types uid ulimit umask unit units unsafe unseal unused upper uptime upstream usb user username userns users
  uuid vars vault vendor verbosity verifier vfs vga via video virt vm vnc vol vote volumes volfile warm warnings wal wan
  watermark webroot weight wheel while whitelist width wildcard window windows with within without wizard wl work workdir
  working workspace world xml xms year zk zones zookeeper
  jdwp mtime ctime atime agentlib javaagent agentpath verbose jrockit uuid netdev chardev serial spice append kernel initrd drive cdrom nographic
  nodefaults rfbauth rfbport rfbwait xkb dpi nolisten listenaddr http1 http2 h2 authtoken apikey secretkey accesskey keyid
  setcookie boot noinput hidden extra progname ssldist eval pa pz smux nodeid clustername hostkey bmaname host0
  loggc lighttpd jaxpmodule mp enginename pidpath confpath detached dport sport ctstate ruser rhost rport luser lport bindaddr binddn basedn scope
  iter salted rounds nosalt pbkdf2 macopt hexkey passwd-file stdin noverify nocheck autoconnect ifname ssid con conid ipv4
`);

export const PLAIN_WORDS: ReadonlySet<string> = new Set(PLAIN);
export const NAME_WORDS: ReadonlySet<string> = new Set([...PLAIN, ...NAMES]);

/** Endings of file names: one of these behind a dot says that a word is a file. */
export const EXTENSIONS: ReadonlySet<string> = new Set(
  list(`
  aof cache cer cfg cgi class cnf conf config cpp c cc crt csr css csv ctl cs dat db deb der dll dump ear exe go gz hcl html img ini
  ipynb iso j2 jar java jks jpg js json jsonl key keytab kubeconfig lib list lock log lst lua md mjs cjs mp3 mp4 mkv nix o
  out p12 pcap pdf pem pfx php pid pipe pkcs12 pl pm png policy properties ps1 pub py pyc qcow2 r raw rb rc rdb repo rpm rrd
  rs rules sched scope service sh slice so sock socket sql sqlite sqlite3 squashfs state tar tcl tf tfvars tgz timer tmpl toml
  ts txt vmdk war wasm whl xml xsl xz yaml yml zip zst
`),
);

/** First folders of an absolute path that no secret begins with. */
export const ROOT_FOLDERS: ReadonlySet<string> = new Set(
  list(`
  app bin boot config data dev etc home lib lib32 lib64 libexec media mnt nix opt proc root run sbin snap srv sys tmp
  u01 usr var workspace
`),
);

/** Last parts of the name of a host. */
export const HOST_ENDINGS: ReadonlySet<string> = new Set(
  list(`
  ai app arpa at au biz ca ch cloud cluster cn co com corp cz de dev dk edu es eu example fi fr gov home id ie in info int
  internal invalid io it jp kr lan local localdomain localhost mil nl no nz org net pl pt ru se svc test tv uk us
`),
);

/** First parts of the name of a class or module that is not named after its file. */
export const PACKAGE_ROOTS: ReadonlySet<string> = new Set(
  list(
    'ch clojure co com de dev edu eu fr gov io jakarta java javax jdk kafka kotlin net nl org puppetlabs scala sun uk us weblogic',
  ),
);

/** Programs that run the program whose name follows. */
export const WRAPPERS: ReadonlySet<string> = new Set(
  list(`
  busybox chpst chronic chrt daemon daemonize daemonized docker doas dumb-init eatmydata env exec fakeroot firejail flock gosu ionice
  kubectl lxc nerdctl nice nohup nsenter numactl podman runuser runsv script setpriv setsid setuidgid softlimit ssh
  start-stop-daemon stdbuf strace su su-exec sudo systemd-run taskset time timeout tini toybox unshare valgrind watch xargs
`),
);

/** Programs after whose -c one word follows that is itself a command line. */
export const SHELLS: ReadonlySet<string> = new Set(list('ash bash dash fish flock ksh mksh runuser script sh su zsh'));

/** Programs that a shell's script may name; the catalogue has the others. */
export const SHELL_COMMANDS: ReadonlySet<string> = new Set(
  list(`
  awk base64 basename bash cat cd chmod chown chpasswd cp curl cut date dd df dirname du echo env eval exec exit export
  false find for grep gzip head if install java kill ln ls mkdir mktemp mount mv mysql mysqldump mysqladmin nc node nohup
  openssl passwd php pg_dump printf ps psql python python3 read redis-cli rm rsync ruby scp sed set sh sleep sort source ssh
  sshpass su sudo tail tar tee test then time timeout touch tr trap true ulimit umask until wait wget while xargs
`),
);

/** Commands whose arguments are text of the user's own, numbers too. */
export const TEXT_COMMANDS: ReadonlySet<string> = new Set(['echo', 'printf', '<<<']);
