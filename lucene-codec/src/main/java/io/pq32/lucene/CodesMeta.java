package io.pq32.lucene;

import io.pq32.quantization.Metric;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.ProductQuantizer;
import java.io.IOException;
import java.util.HexFormat;
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
  int fieldNumber();

  /** A field of byte vectors: Lucene's HNSW format has it, under a suffix of its own. */
  record Bytes(int fieldNumber) implements CodesMeta {
    static final int KIND = 0;

    @Override
    public void write(DataOutput out) throws IOException {
      MetaEntry.writeStart(out, fieldNumber);
      out.writeByte((byte) KIND);
    }
  }

  /** A field with too few vectors for a codebook: its floats are scanned. */
  record FloatsOnly(int fieldNumber) implements CodesMeta {
    static final int KIND = 1;

    @Override
    public void write(DataOutput out) throws IOException {
      MetaEntry.writeStart(out, fieldNumber);
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
   * @param outliers ascending ordinals of the vectors too long for their codes
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
      long codesOffset,
      int[] outliers)
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
      return BlocksLayout.of(count, layout, similarity.metric());
    }

    @Override
    public void write(DataOutput out) throws IOException {
      MetaEntry.writeStart(out, fieldNumber);
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
      out.writeVInt(outliers.length);
      for (int ord : outliers) {
        out.writeVInt(ord);
      }
    }

    private static Codes read(MetaEntry entry) throws IOException {
      FieldInfo field = entry.field();
      Similarity similarity = Similarity.of(field.getVectorSimilarityFunction());
      int number = entry.readByte("similarity", Byte.MAX_VALUE);
      if (number != similarity.wireNumber()) {
        throw entry.corruption("similarity", similarity.wireNumber(), number);
      }
      int dimension = field.getVectorDimension();
      entry.readVInt("dimension", dimension, dimension);
      int subQuantizers = entry.readByte("bytes per code", PqLayout.MAX_SUB_QUANTIZERS);
      PqLayout layout;
      try {
        layout = new PqLayout(dimension, subQuantizers);
      } catch (IllegalArgumentException _) {
        throw entry.corruption(
            "bytes per code",
            "a multiple of 16 up to " + PqLayout.MAX_SUB_QUANTIZERS,
            subQuantizers);
      }
      int count = entry.readVInt("count", 1, Integer.MAX_VALUE);
      Arrangement arrangement = Arrangement.ofWireNumber(entry);
      byte[] id = new byte[16];
      entry.in().readBytes(id, 0, id.length);
      float trainedDistortion = Float.intBitsToFloat(entry.in().readInt());
      if (!(trainedDistortion >= 0 && trainedDistortion < Float.POSITIVE_INFINITY)) {
        throw entry.corruption("distortion", "a finite share", trainedDistortion);
      }
      return new Codes(
          field.number,
          similarity,
          layout,
          count,
          arrangement,
          HexFormat.of().formatHex(id),
          trainedDistortion,
          entry.readVLong("offset of the codebook", 0, Long.MAX_VALUE),
          entry.readVLong("offset of the codes", 0, Long.MAX_VALUE),
          readOutliers(entry, similarity, count));
    }

    private static int[] readOutliers(MetaEntry entry, Similarity similarity, int count)
        throws IOException {
      int most = similarity.metric() == Metric.DOT_PRODUCT ? Outliers.limit(count) : 0;
      int[] outliers = new int[entry.readVInt("count of outliers", 0, most)];
      int least = 0;
      for (int i = 0; i < outliers.length; i++) {
        outliers[i] = entry.readVInt("ordinal of an outlier", least, count - 1);
        least = outliers[i] + 1;
      }
      return outliers;
    }

    /** Checks that both regions are what comes next in the codes file. */
    void checkRegions(String field, DataLayout codes) throws IOException {
      codes.next(field, "codebook", codebookOffset, codebookLength());
      codes.next(field, "codes", codesOffset, codesLength());
    }
  }

  /** Writes the entry. */
  void write(DataOutput out) throws IOException;

  /** Reads the next entry, or null at the end of fields. */
  static CodesMeta readNext(IndexInput in, FieldInfos fieldInfos) throws IOException {
    MetaEntry entry = MetaEntry.nextOrNull(in, fieldInfos);
    if (entry == null) {
      return null;
    }
    FieldInfo field = entry.field();
    int kind = entry.readByte("kind", Codes.KIND);
    if ((kind == Bytes.KIND) != (field.getVectorEncoding() == VectorEncoding.BYTE)) {
      throw entry.corruption("kind", "one for " + field.getVectorEncoding() + " vectors", kind);
    }
    return switch (kind) {
      case Bytes.KIND -> new Bytes(field.number);
      case FloatsOnly.KIND -> new FloatsOnly(field.number);
      default -> Codes.read(entry);
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

    private static Arrangement ofWireNumber(MetaEntry entry) throws IOException {
      int wireNumber = entry.readByte("arrangement", Byte.MAX_VALUE);
      for (Arrangement arrangement : values()) {
        if (arrangement.wireNumber == wireNumber) {
          return arrangement;
        }
      }
      throw entry.corruption("arrangement", "0 or 1", wireNumber);
    }
  }
}
