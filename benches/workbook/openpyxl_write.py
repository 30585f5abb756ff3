"""The bench's rows through openpyxl in write-only mode: prints CPU seconds, peak KiB and bytes, as the other jobs do."""
import os
import resource
import sys
import tempfile

import openpyxl

rows, columns = int(sys.argv[1]), int(sys.argv[2])
book = openpyxl.Workbook(write_only=True)
sheet = book.create_sheet("S")
for row in range(rows):
    sheet.append(
        [
            float(f"{row}.{column:02}") if column % 2 == 0 else f"SKU-{row:06}-{column:02} 品名"
            for column in range(columns)
        ]
    )
with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "b.xlsx")
    book.save(file)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss, os.path.getsize(file))
