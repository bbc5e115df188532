export { answerReads, DocumentDesk, type DocumentAccess } from './document-desk.js';
export type { DocumentRow, DocumentWords } from './document-row.js';
export { type FullDocument, getDocument, lockDocument, pageDocuments } from './documents.js';
export { importDocuments } from './import-documents.js';
export { documentUsage } from './room.js';
export { addDocument, changeDocument, removeDocument, type ServerShelf, type Writer } from './write-documents.js';
