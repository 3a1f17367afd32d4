// The rules that ship with the product: one document for each group. The bundler turns the TOML files into functions that give
// JSON text; parseCatalogue() makes rules of it.
import ai from './ai.toml';
import backup from './backup.toml';
import bigdata from './bigdata.toml';
import blockchain from './blockchain.toml';
import cache from './cache.toml';
import cicd from './cicd.toml';
import container from './container.toml';
import db from './db.toml';
import desktop from './desktop.toml';
import devel from './devel.toml';
import erp from './erp.toml';
import games from './games.toml';
import hpc from './hpc.toml';
import logging from './logging.toml';
import mail from './mail.toml';
import messaging from './messaging.toml';
import monitoring from './monitoring.toml';
import network from './network.toml';
import runtime from './runtime.toml';
import security from './security.toml';
import storage from './storage.toml';
import system from './system.toml';
import virtualization from './virtualization.toml';
import web from './web.toml';

const documents = {
  ai,
  backup,
  bigdata,
  blockchain,
  cache,
  cicd,
  container,
  db,
  desktop,
  devel,
  erp,
  games,
  hpc,
  logging,
  mail,
  messaging,
  monitoring,
  network,
  runtime,
  security,
  storage,
  system,
  virtualization,
  web,
};

/**
 * Each document with its name in rules and messages. A document is parsed each time it is read, and not kept: once the
 * rules are made of it nobody needs it, and it would take memory.
 */
export const catalogue: readonly { readonly file: string; readonly document: Record<string, unknown> }[] =
  Object.entries(documents).map(([group, json]) => ({
    file: `catalogue/${group}.toml`,
    get document() {
      return JSON.parse(json());
    },
  }));
