package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.store.DataInput;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.IndexInput;

/**
 * What does a meta file say of one field? Numbers out of range are corruptions that name the field.
 *
 * @param in after the field number, and moving on with what is read
 */
record MetaEntry(IndexInput in, FieldInfo field) {
  /** Stands where a field number would: no more entries. */
  private static final int END_OF_FIELDS = -1;

  static void writeStart(DataOutput out, int fieldNumber) throws IOException {
    out.writeInt(fieldNumber);
  }

  static void writeEnd(DataOutput out) throws IOException {
    out.writeInt(END_OF_FIELDS);
  }

  /** The next entry, or null at the end of fields. */
  static MetaEntry nextOrNull(IndexInput in, FieldInfos fieldInfos) throws IOException {
    int fieldNumber = in.readInt();
    if (fieldNumber == END_OF_FIELDS) {
      return null;
    }
    FieldInfo field = fieldNumber < 0 ? null : fieldInfos.fieldInfo(fieldNumber);
    if (field == null || !field.hasVectorValues()) {
      throw new CorruptIndexException(
          "field number should be one of a field with vectors and is " + fieldNumber, in);
    }
    return new MetaEntry(in, field);
  }

  /** Reads a byte from 0 to {@code max}, which is 127 at most. */
  int readByte(String what, int max) throws IOException {
    return (int) checked(what, in.readByte(), 0, max);
  }

  /** Reads what {@link DataOutput#writeVInt} wrote. */
  int readVInt(String what, int min, int max) throws IOException {
    return (int) readVLong(what, min, max);
  }

  /**
   * Reads what {@link DataOutput#writeVLong} wrote, and nothing longer. {@link DataInput#readVLong}
   * would call an endless number an error of input and output, which may pass; here it is one of
   * the file.
   */
  long readVLong(String what, long min, long max) throws IOException {
    long value = 0;
    byte next = -1;
    for (int shift = 0; next < 0; shift += 7) {
      if (shift == 63) {
        throw corruption(what, range(min, max), "a number that goes on after nine bytes");
      }
      next = in.readByte();
      if (next == 0 && shift > 0) {
        throw corruption(what, range(min, max), "a number with a last byte that adds nothing");
      }
      value |= (next & 0x7FL) << shift;
    }
    return checked(what, value, min, max);
  }

  private long checked(String what, long value, long min, long max) throws CorruptIndexException {
    if (value < min || value > max) {
      throw corruption(what, range(min, max), value);
    }
    return value;
  }

  private static String range(long min, long max) {
    return min == max ? Long.toString(min) : min + " to " + max;
  }

  CorruptIndexException corruption(String what, Object expected, Object actual) {
    return Corruption.of(field.name, what, expected, actual, in);
  }
}
