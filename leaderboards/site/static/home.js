"use strict";
// Links to a board that were made when the boards were the first page still lead there.
if (/^#(.*&)?suite=/.test(location.hash)) location.replace(`boards.html${location.hash}`);
