// What pages do beyond plain HTML. Everything works without it.
"use strict";
