// Registers toml-hooks.mjs: unit tests import the catalogue from source, as the bundle does after build.mjs.
import { register } from 'node:module';

register(new URL('./toml-hooks.mjs', import.meta.url));
