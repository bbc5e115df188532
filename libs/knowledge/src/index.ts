export { answerReads, DocumentDesk, type DocumentAccess } from './document-desk.js';
export { documentProblems } from './document-checks.js';
export type { DocumentRow, DocumentWords } from './document-row.js';
export { findDocument, listDocuments, lockDocument, type DocumentPlace } from './documents.js';
export { requireRoom } from './room.js';
export { searchDocuments } from './search-documents.js';
export { addDocument, changeDocument, removeDocument, type ServerShelf, type Writer } from './write-documents.js';
