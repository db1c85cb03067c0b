package io.pq32.lucene;

import io.pq32.quantization.PqLayout;
import io.pq32.quantization.ProductQuantizer;
import java.io.IOException;
import java.util.HexFormat;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FieldInfos;
import org.apache.lucene.index.VectorEncoding;
import org.apache.lucene.store.DataOutput;
import org.apache.lucene.store.IndexInput;

/**
 * What does the codes file hold for one field? One entry of {@code .vemq}; the byte layout is in
 * {@link Pq32HnswVectorsFormat}.
 */
sealed interface CodesMeta {
  /** Stands where a field number would: no more entries. */
  int END_OF_FIELDS = -1;

  int fieldNumber();

  /** A field of byte vectors: Lucene's HNSW format has it, under a suffix of its own. */
  record Bytes(int fieldNumber) implements CodesMeta {
    static final int KIND = 0;

    @Override
    public void write(DataOutput out) throws IOException {
      out.writeInt(fieldNumber);
      out.writeByte((byte) KIND);
    }
  }

  /** A field with too few vectors for a codebook: its floats are scanned. */
  record FloatsOnly(int fieldNumber) implements CodesMeta {
    static final int KIND = 1;

    @Override
    public void write(DataOutput out) throws IOException {
      out.writeInt(fieldNumber);
      out.writeByte((byte) KIND);
    }
  }

  /**
   * A field with codes.
   *
   * @param layout dimension and sub-quantizers
   * @param count vectors
   * @param arrangement how the codes lie
   * @param codebookId {@link ProductQuantizer#id()}
   * @param trainedDistortion {@link ProductQuantizer#distortion} when the codebook was trained
   * @param codebookOffset where {@link ProductQuantizer#toBytes()} starts
   * @param codesOffset where the codes start
   */
  record Codes(
      int fieldNumber,
      Similarity similarity,
      PqLayout layout,
      int count,
      Arrangement arrangement,
      String codebookId,
      float trainedDistortion,
      long codebookOffset,
      long codesOffset)
      implements CodesMeta {
    static final int KIND = 2;

    long codebookLength() {
      return ProductQuantizer.byteSize(layout);
    }

    long codesLength() {
      return switch (arrangement) {
        case BLOCKS -> blocks().length();
        case ROWS -> (long) count * layout.codeBytes();
      };
    }

    /** Where the parts are when the codes lie in blocks. */
    BlocksLayout blocks() {
      return new BlocksLayout(count, layout.codeBytes());
    }

    @Override
    public void write(DataOutput out) throws IOException {
      out.writeInt(fieldNumber);
      out.writeByte((byte) KIND);
      out.writeByte((byte) similarity.wireNumber());
      out.writeVInt(layout.dimension());
      out.writeByte((byte) layout.subQuantizers());
      out.writeVInt(count);
      out.writeByte((byte) arrangement.wireNumber());
      byte[] id = HexFormat.of().parseHex(codebookId);
      out.writeBytes(id, id.length);
      out.writeInt(Float.floatToIntBits(trainedDistortion));
      out.writeVLong(codebookOffset);
      out.writeVLong(codesOffset);
    }

    private static Codes read(IndexInput in, FieldInfo field) throws IOException {
      Similarity similarity = Similarity.ofWireNumber(in.readByte(), in);
      int dimension = in.readVInt();
      int subQuantizers = in.readByte();
      int count = in.readVInt();
      Arrangement arrangement = Arrangement.ofWireNumber(in.readByte(), in);
      byte[] id = new byte[16];
      in.readBytes(id, 0, id.length);
      float trainedDistortion = Float.intBitsToFloat(in.readInt());
      long codebookOffset = in.readVLong();
      long codesOffset = in.readVLong();
      if (dimension != field.getVectorDimension()) {
        throw Corruption.of(field.name, "dimension", field.getVectorDimension(), dimension, in);
      }
      if (similarity.function() != field.getVectorSimilarityFunction()) {
        throw Corruption.of(
            field.name, "similarity", field.getVectorSimilarityFunction(), similarity, in);
      }
      if (count < 1) {
        throw Corruption.of(field.name, "count", "at least 1", count, in);
      }
      PqLayout layout;
      try {
        layout = new PqLayout(dimension, subQuantizers);
      } catch (IllegalArgumentException e) {
        throw new CorruptIndexException("field \"" + field.name + "\": " + e.getMessage(), in, e);
      }
      return new Codes(
          field.number,
          similarity,
          layout,
          count,
          arrangement,
          HexFormat.of().formatHex(id),
          trainedDistortion,
          codebookOffset,
          codesOffset);
    }

    /** Checks that both regions lie within the codes file. */
    void checkRegions(String field, IndexInput codes) throws IOException {
      Corruption.checkRegion(field, "codebook", codebookOffset, codebookLength(), codes);
      Corruption.checkRegion(field, "codes", codesOffset, codesLength(), codes);
    }
  }

  /** Writes the entry. */
  void write(DataOutput out) throws IOException;

  /** Reads the next entry, or null at the end of fields. */
  static CodesMeta readNext(IndexInput in, FieldInfos fieldInfos) throws IOException {
    int fieldNumber = in.readInt();
    if (fieldNumber == END_OF_FIELDS) {
      return null;
    }
    FieldInfo field = fieldInfos.fieldInfo(fieldNumber);
    if (field == null || !field.hasVectorValues()) {
      throw new CorruptIndexException("no vector field has number " + fieldNumber, in);
    }
    int kind = in.readByte();
    VectorEncoding expected = kind == Bytes.KIND ? VectorEncoding.BYTE : VectorEncoding.FLOAT32;
    if (field.getVectorEncoding() != expected) {
      throw Corruption.of(field.name, "encoding", field.getVectorEncoding(), expected, in);
    }
    return switch (kind) {
      case Bytes.KIND -> new Bytes(fieldNumber);
      case FloatsOnly.KIND -> new FloatsOnly(fieldNumber);
      case Codes.KIND -> Codes.read(in, field);
      default -> throw Corruption.of(field.name, "kind", "0 to 2", kind, in);
    };
  }

  /** How the codes of a field lie in the file. */
  enum Arrangement {
    /** As {@link BlocksLayout} says, for segments whose codes are scanned. */
    BLOCKS(0),
    /** {@code [node][subQuantizer]}, for segments with a graph. */
    ROWS(1);

    private final int wireNumber;

    Arrangement(int wireNumber) {
      this.wireNumber = wireNumber;
    }

    int wireNumber() {
      return wireNumber;
    }

    static Arrangement ofWireNumber(int wireNumber, IndexInput in) throws IOException {
      for (Arrangement arrangement : values()) {
        if (arrangement.wireNumber == wireNumber) {
          return arrangement;
        }
      }
      throw new CorruptIndexException("unknown arrangement number " + wireNumber, in);
    }
  }
}
