//! What people read: the daily mail, its workbook, its charts. Bytes in, bytes out.
