package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.ProductSpread;
import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.codecs.FilterCodec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads files by what the javadoc of {@link Pq32HnswVectorsFormat} says, and by nothing else. */
@ExtendWith(SeededRandom.class)
class FormatDocumentationTest {
  private static final int DIMENSION = 48;
  private static final int[] OUTLIERS = {7, 100, 101, 255};

  private int count;

  /** So many vectors that the last block is not full, and the most that eight bits can number. */
  @ParameterizedTest
  @ValueSource(ints = {300, 256})
  void aScannedFieldIsAsDocumented(int count, Random random) throws IOException {
    this.count = count;
    check(random, 1000);
  }

  @ParameterizedTest
  @ValueSource(ints = {300, 256})
  void aFieldWithAGraphIsAsDocumented(int count, Random random) throws IOException {
    this.count = count;
    check(random, 1);
  }

  @Test
  void namesAndVersionsAreDocumented() throws IOException {
    String documentation =
        Files.readString(Path.of("src/main/java/io/pq32/lucene/Pq32HnswVectorsFormat.java"))
            .replaceAll("\\s+\\* +", " ");
    for (SegmentFile file : SegmentFile.values()) {
      assertTrue(documentation.contains("<h2>." + file.extension() + ": "), file.extension());
      assertTrue(documentation.contains("{@code " + file.codecName() + "}"), file.codecName());
    }
    for (int i = SegmentFile.VERSION_START; i <= SegmentFile.VERSION_CURRENT; i++) {
      assertTrue(documentation.contains("version " + i), "version " + i);
    }
    assertEquals(
        Pq32HnswVectorsFormat.class,
        KnnVectorsFormat.forName(Pq32HnswVectorsFormat.class.getSimpleName()).getClass());
  }

  private void check(Random random, int graphThreshold) throws IOException {
    Pq32HnswConfig config =
        Pq32HnswConfig.DEFAULT.withMinQuantizedCount(1).withGraphThreshold(graphThreshold);
    try (Directory directory = new ByteBuffersDirectory()) {
      write(directory, config, random);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        KnnVectorsReader vectors =
            ((CodecReader) reader.leaves().get(0).reader()).getVectorReader();
        QuantizedField field =
            ((Pq32VectorsReader)
                    ((PerFieldKnnVectorsFormat.FieldsReader) vectors).getFieldReader("v"))
                .quantizedOrNull("v");
        boolean graph = count >= graphThreshold;
        List<byte[]> codes = readCodes(directory, field, graph);
        if (graph) {
          readGraph(directory, field, codes);
        } else {
          try (IndexInput meta = open(directory, "vem", "Pq32GraphMeta")) {
            assertEquals(-1, meta.readInt());
            assertAtFooter(meta);
          }
        }
      }
    }
  }

  private void write(Directory directory, Pq32HnswConfig config, Random random) throws IOException {
    KnnVectorsFormat format = new Pq32HnswVectorsFormat(config);
    Codec base = Codec.getDefault();
    Codec codec =
        new FilterCodec(base.getName(), base) {
          @Override
          public KnnVectorsFormat knnVectorsFormat() {
            return new PerFieldKnnVectorsFormat() {
              @Override
              public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                return format;
              }
            };
          }
        };
    IndexWriterConfig writerConfig =
        new IndexWriterConfig().setCodec(codec).setUseCompoundFile(false);
    try (IndexWriter writer = new IndexWriter(directory, writerConfig)) {
      for (int i = 0; i < count; i++) {
        float[] vector = new float[DIMENSION];
        float length = Arrays.binarySearch(OUTLIERS, i) < 0 ? 1 : 1000;
        for (int d = 0; d < DIMENSION; d++) {
          vector[d] = length * (float) random.nextGaussian();
        }
        Document document = new Document();
        document.add(
            new KnnFloatVectorField("v", vector, VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT));
        writer.addDocument(document);
      }
    }
  }

  /** Codes by node. */
  private List<byte[]> readCodes(Directory directory, QuantizedField field, boolean graph)
      throws IOException {
    List<byte[]> codes = new ArrayList<>();
    try (IndexInput meta = open(directory, "vemq", "Pq32CodesMeta");
        IndexInput data = open(directory, "veq", "Pq32Codes")) {
      assertEquals(0, meta.readInt(), "field number");
      assertEquals(2, meta.readByte(), "kind");
      assertEquals(3, meta.readByte(), "similarity");
      assertEquals(DIMENSION, meta.readVInt(), "dimension");
      int codeBytes = meta.readByte();
      assertEquals(32, codeBytes, "bytes per code");
      assertEquals(count, meta.readVInt(), "count");
      assertEquals(graph ? 1 : 0, meta.readByte(), "arrangement");
      byte[] id = new byte[16];
      meta.readBytes(id, 0, id.length);
      float distortion = Float.intBitsToFloat(meta.readInt());
      assertTrue(distortion >= 0 && distortion < 1, "distortion " + distortion);
      long codebookOffset = meta.readVLong();
      long codesOffset = meta.readVLong();
      int[] outliers = new int[meta.readVInt()];
      for (int i = 0; i < outliers.length; i++) {
        outliers[i] = meta.readVInt();
      }
      assertArrayEquals(OUTLIERS, outliers);
      assertEquals(-1, meta.readInt());
      assertAtFooter(meta);

      assertEquals(0, codebookOffset % 64);
      assertEquals(0, codesOffset % 64);
      ProductQuantizer quantizer = field.codes().quantizer();
      byte[] codebook = new byte[quantizer.toBytes().length];
      data.seek(codebookOffset);
      data.readBytes(codebook, 0, codebook.length);
      assertArrayEquals(quantizer.toBytes(), codebook);
      assertEquals(HexFormat.of().formatHex(id), ProductQuantizer.id(codebook));
      data.seek(codesOffset);
      if (graph) {
        for (int node = 0; node < count; node++) {
          codes.add(bytes(data, codeBytes));
        }
      } else {
        codes.addAll(readBlocks(data, count, codeBytes));
        checkHeads(readBlocks(data, Math.ceilDiv(count, 64), codeBytes), codes, quantizer);
        checkSpreads(data, codes, quantizer);
        long[] ords = readPacked(data, count, bits(count - 1));
        checkOrds(ords, codes, field);
        long[] blocks = readPacked(data, count, bits((count - 1) / 64));
        for (int node = 0; node < count; node++) {
          assertEquals(node / 64, blocks[(int) ords[node]], "block of node " + node);
        }
      }
      assertAtFooter(data);
    }
    return codes;
  }

  private static List<byte[]> readBlocks(IndexInput in, int count, int codeBytes)
      throws IOException {
    List<byte[]> codes = new ArrayList<>();
    for (int first = 0; first < count; first += 64) {
      byte[] block = bytes(in, 64 * codeBytes);
      for (int i = 0; i < 64; i++) {
        byte[] code = new byte[codeBytes];
        for (int m = 0; m < codeBytes; m++) {
          code[m] = block[64 * m + i];
        }
        if (first + i < count) {
          codes.add(code);
        } else {
          assertArrayEquals(new byte[codeBytes], code, "padding");
        }
      }
    }
    return codes;
  }

  private void checkHeads(List<byte[]> heads, List<byte[]> codes, ProductQuantizer quantizer) {
    for (int block = 0; block < heads.size(); block++) {
      List<byte[]> members = codes.subList(64 * block, Math.min(count, 64 * block + 64));
      float[] mean = mean(members, quantizer);
      byte[] head = new byte[quantizer.layout().codeBytes()];
      quantizer.encodeProjected(mean, 0, head, 0);
      assertArrayEquals(head, heads.get(block), "head of block " + block);
    }
  }

  private void checkSpreads(IndexInput data, List<byte[]> codes, ProductQuantizer quantizer)
      throws IOException {
    ProductSpread spread = new ProductSpread(quantizer);
    int codeBytes = quantizer.layout().codeBytes();
    for (int first = 0; first < count; first += 64) {
      List<byte[]> members = codes.subList(first, Math.min(count, first + 64));
      byte[] rows = new byte[members.size() * codeBytes];
      for (int i = 0; i < members.size(); i++) {
        System.arraycopy(members.get(i), 0, rows, i * codeBytes, codeBytes);
      }
      float expected = spread.of(rows, members.size(), mean(members, quantizer));
      assertEquals(expected, Float.intBitsToFloat(data.readInt()), "spread of block at " + first);
    }
  }

  private static float[] mean(List<byte[]> codes, ProductQuantizer quantizer) {
    float[] mean = new float[quantizer.layout().projectedDimension()];
    for (byte[] code : codes) {
      quantizer.addDecodedTo(code, 0, mean, 0);
    }
    for (int i = 0; i < mean.length; i++) {
      mean[i] /= codes.size();
    }
    return mean;
  }

  private void checkOrds(long[] ords, List<byte[]> codes, QuantizedField field) throws IOException {
    QuantizedField.CodeReader reader = field.codeReader();
    BitSet seen = new BitSet();
    for (int node = 0; node < count; node++) {
      byte[] code = new byte[codes.get(node).length];
      reader.copy((int) ords[node], code);
      assertArrayEquals(codes.get(node), code);
      seen.set((int) ords[node]);
      assertTrue(node % 64 == 0 || ords[node] > ords[node - 1], "ascending within a block");
    }
    assertEquals(count, seen.cardinality());
  }

  private void readGraph(Directory directory, QuantizedField field, List<byte[]> codes)
      throws IOException {
    try (IndexInput meta = open(directory, "vem", "Pq32GraphMeta");
        IndexInput data = open(directory, "vex", "Pq32Graph")) {
      assertEquals(0, meta.readInt(), "field number");
      assertEquals(count, meta.readVInt(), "nodes");
      assertEquals(32, meta.readVInt(), "bytes per code");
      assertEquals(16, meta.readVInt(), "maxConn");
      int stride = meta.readVInt();
      long listsLength = meta.readVLong();
      int offsetBits = meta.readVInt();
      long offset = meta.readVLong();
      assertEquals(-1, meta.readInt());
      assertAtFooter(meta);

      assertEquals(0, offset % 64);
      data.seek(offset);
      List<byte[]> entries = readBlocks(data, Math.ceilDiv(count, stride), 32);
      for (int i = 0; i < entries.size(); i++) {
        assertArrayEquals(codes.get(i * stride), entries.get(i), "entry " + i);
      }
      long[] ordOfNode = readPacked(data, count, bits(count - 1));
      long[] nodeOfOrd = readPacked(data, count, bits(count - 1));
      int listBits = bits(listsLength);
      long[] groups = readPacked(data, Math.ceilDiv(count, 16), listBits);
      long[] offsets = readPacked(data, count, offsetBits);
      long lists = data.getFilePointer();
      int[] expected = new int[3 * 16];
      for (int node = 0; node < count; node++) {
        assertEquals(node, nodeOfOrd[(int) ordOfNode[node]]);
        long position = groups[node / 16] + offsets[node];
        assertEquals(position, data.getFilePointer() - lists, "position of list " + node);
        int[] neighbors = readList(data, node);
        assertEquals(field.graph().neighbors(node, expected), neighbors.length);
        for (int i = 0; i < neighbors.length; i++) {
          assertEquals(expected[i], neighbors[i]);
        }
      }
      assertEquals(listsLength, data.getFilePointer() - lists);
      assertArrayEquals(new byte[8], bytes(data, 8));
      assertAtFooter(data);
    }
  }

  /** What a number takes. */
  private static int bits(long number) {
    return Long.SIZE - Long.numberOfLeadingZeros(number);
  }

  private static long[] readPacked(IndexInput in, int count, int width) throws IOException {
    Bits bits = new Bits(in);
    long[] numbers = new long[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = bits.read(width);
    }
    assertArrayEquals(new byte[7], bytes(in, 7));
    return numbers;
  }

  /** Reads bit by bit. */
  private static final class Bits {
    private final IndexInput in;
    private int current;
    private int left;

    Bits(IndexInput in) {
      this.in = in;
    }

    int read(int width) throws IOException {
      int number = 0;
      for (int i = 0; i < width; i++) {
        if (left == 0) {
          current = in.readByte();
          left = 8;
        }
        number |= (current & 1) << i;
        current >>>= 1;
        left--;
      }
      return number;
    }
  }

  private static int[] readList(IndexInput in, int node) throws IOException {
    Bits bits = new Bits(in);
    int greater = bits.read(6); // 48 takes six bits
    int[] neighbors = new int[greater + bits.read(6)];
    int[] widths = {bits.read(5), bits.read(5)};
    int previous = node;
    for (int first = 0; first < neighbors.length; first += 32) {
      int[] tags = new int[Math.min(32, neighbors.length - first)];
      for (int i = 0; i < tags.length; i++) {
        tags[i] = bits.read(1);
      }
      for (int i = 0; i < tags.length; i++) {
        int distance = bits.read(widths[tags[i]]) + 1;
        if (first + i == greater) {
          previous = node;
        }
        previous += first + i < greater ? distance : -distance;
        neighbors[first + i] = previous;
      }
    }
    return neighbors;
  }

  private static byte[] bytes(IndexInput in, int length) throws IOException {
    byte[] bytes = new byte[length];
    in.readBytes(bytes, 0, length);
    return bytes;
  }

  private static IndexInput open(Directory directory, String extension, String codecName)
      throws IOException {
    for (String file : directory.listAll()) {
      if (file.endsWith("." + extension)) {
        IndexInput in = directory.openInput(file, IOContext.DEFAULT);
        assertEquals(0, CodecUtil.checkHeader(in, codecName, 0, 0));
        in.skipBytes(16); // segment id
        in.skipBytes(in.readByte() & 0xFF); // suffix
        return in;
      }
    }
    throw new AssertionError("no file with extension " + extension);
  }

  private static void assertAtFooter(IndexInput in) {
    assertEquals(in.length() - CodecUtil.footerLength(), in.getFilePointer());
  }
}
