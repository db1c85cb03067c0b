package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.PqKernels;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.ByteBuffersDataOutput;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.MMapDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Regions longer than an int can count, in bytes and in bits: 90 million vectors. The files are
 * holes but for what a test puts into them, at positions that it computes from the documentation of
 * the format.
 */
@ExtendWith(SeededRandom.class)
class LargeFilesTest {
  private static final int SIZE = 90_000_013;
  private static final int CODE_BYTES = 32;
  private static final int ORD_BITS = 27;

  /** Two blocks after the header, as where there is a codebook before. */
  private static final long OFFSET = 4096;

  /** Nodes on both sides of 2^31 bytes of codes, the first and the last one. */
  private static final int[] NODES = {0, 1, (1 << 26) - 1, 1 << 26, (1 << 26) + 77, SIZE - 1};

  @TempDir Path folder;

  /** A file of holes that is written here and there. */
  private final class SparseFile implements AutoCloseable {
    private final Directory directory = new MMapDirectory(folder);
    private final FileChannel channel;

    SparseFile(long length) throws IOException {
      channel =
          FileChannel.open(
              folder.resolve("sparse"),
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.SPARSE,
              StandardOpenOption.WRITE,
              StandardOpenOption.READ);
      write(length - 1, new byte[1]);
    }

    void write(long position, byte[] bytes) throws IOException {
      channel.write(ByteBuffer.wrap(bytes), position);
    }

    /** Sets a number that takes some bits, as packed numbers lie. */
    void writeBits(long start, int width, long index, long value) throws IOException {
      long bit = start * Byte.SIZE + index * width;
      ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(word, bit / Byte.SIZE);
      word.putLong(0, word.getLong(0) | value << bit % Byte.SIZE);
      write(bit / Byte.SIZE, word.array());
    }

    IndexInput open() throws IOException {
      return directory.openInput("sparse", IOContext.DEFAULT);
    }

    @Override
    public void close() throws IOException {
      channel.close();
      directory.close();
    }
  }

  private static CodesMeta.Codes meta(CodesMeta.Arrangement arrangement) {
    return new CodesMeta.Codes(
        0,
        Similarity.EUCLIDEAN,
        PqLayout.pq32(768),
        SIZE,
        arrangement,
        "00".repeat(16),
        0.1f,
        0,
        OFFSET,
        new int[0]);
  }

  private static byte[] code(Random random) {
    byte[] code = new byte[CODE_BYTES];
    random.nextBytes(code);
    return code;
  }

  /** Levels of a table, 0 for the code that holes are. */
  private static byte[] levels(Random random) {
    byte[] levels = new byte[CODE_BYTES * PqKernels.CODEBOOK_SIZE];
    for (int i = 0; i < levels.length; i++) {
      levels[i] =
          i % PqKernels.CODEBOOK_SIZE == 0 ? 0 : (byte) (1 + random.nextInt(PqKernels.MAX_LEVEL));
    }
    return levels;
  }

  private static short sum(byte[] code, byte[] levels) {
    int sum = 0;
    for (int m = 0; m < code.length; m++) {
      sum += levels[m * PqKernels.CODEBOOK_SIZE + (code[m] & 0xFF)];
    }
    return (short) sum;
  }

  /** Blocks from the last one to the first, the nodes of each in their order. */
  private static int ord(int node) {
    return Math.max(0, SIZE - (node / 64 + 1) * 64) + node % 64;
  }

  private static PqKernels[] kernels() {
    return new PqKernels[] {
      PqKernels.instance(), PqKernels.named("scalar"), PqKernels.named("vector")
    };
  }

  @Test
  void codesInBlocksAreFound(Random random) throws IOException {
    CodesMeta.Codes meta = meta(CodesMeta.Arrangement.BLOCKS);
    long blocks = (SIZE + 63) / 64;
    long heads = OFFSET + blocks * 64 * CODE_BYTES;
    long ords = heads + (blocks + 63) / 64 * 64 * CODE_BYTES;
    assertTrue(heads - OFFSET > 1L << 31);
    long blocksOfOrds = ords + ((long) SIZE * ORD_BITS + 7) / 8 + 7;
    int blockBits = Long.SIZE - Long.numberOfLeadingZeros(blocks - 1);
    assertEquals(blocksOfOrds + ((long) SIZE * blockBits + 7) / 8 + 7, OFFSET + meta.codesLength());
    byte[][] codes = new byte[NODES.length][];
    byte[] head = code(random);
    byte[] levels = levels(random);
    try (SparseFile file = new SparseFile(OFFSET + meta.codesLength() + 16)) {
      for (int i = 0; i < NODES.length; i++) {
        codes[i] = code(random);
        for (int m = 0; m < CODE_BYTES; m++) {
          long start = NODES[i] / 64 * 64L * CODE_BYTES;
          file.write(OFFSET + start + m * 64 + NODES[i] % 64, new byte[] {codes[i][m]});
        }
        int block = NODES[i] / 64; // the ordinals of which are ascending
        for (int node = block * 64; node < Math.min(SIZE, (block + 1) * 64); node++) {
          file.writeBits(ords, ORD_BITS, node, ord(node));
          file.writeBits(blocksOfOrds, blockBits, ord(node), block);
        }
      }
      long last = blocks - 1;
      for (int m = 0; m < CODE_BYTES; m++) {
        long block = last / 64 * 64 * CODE_BYTES;
        file.write(heads + block + m * 64 + last % 64, new byte[] {head[m]});
      }
      try (IndexInput in = file.open()) {
        StoredCodes stored = new StoredCodes("field", meta, in);
        CodeBlocks read = stored.blocks();
        short[] sums = new short[64];
        byte[] code = new byte[CODE_BYTES];
        for (int i = 0; i < NODES.length; i++) {
          int node = NODES[i];
          read.copy(node, code);
          assertArrayEquals(codes[i], code);
          assertEquals(ord(node), stored.blockOrds().ord(node));
          int[] found = new int[1];
          stored.blockOrds().nodes(new int[] {ord(node)}, 1, found);
          assertEquals(node, found[0]);
          long[] above = new long[1];
          read.scan(new int[] {node / 64}, 0, 1, levels, 0, sums, above);
          assertEquals(sum(code, levels), sums[node % 64]);
          assertTrue((above[0] >>> node & 1) != 0);
          long from = node / 64 * 64L * CODE_BYTES;
          for (PqKernels kernels : kernels()) {
            Arrays.fill(sums, (short) -1);
            kernels.scan(stored.segment(), from, 1, CODE_BYTES, levels, sums);
            assertEquals(sum(code, levels), sums[node % 64], kernels.name());
          }
        }
        int all = read.layout().blocks();
        assertEquals(last, new BlockOrder().nearestFirst(read, levels, all)[0]);
      }
    }
  }

  @Test
  void codesInRowsAreFound(Random random) throws IOException {
    CodesMeta.Codes meta = meta(CodesMeta.Arrangement.ROWS);
    byte[][] codes = new byte[NODES.length][];
    byte[] levels = levels(random);
    try (SparseFile file = new SparseFile(OFFSET + meta.codesLength() + 16)) {
      for (int i = 0; i < NODES.length; i++) {
        codes[i] = code(random);
        file.write(OFFSET + (long) NODES[i] * CODE_BYTES, codes[i]);
      }
      try (IndexInput in = file.open()) {
        StoredCodes stored = new StoredCodes("field", meta, in);
        byte[] code = new byte[CODE_BYTES];
        for (int i = 0; i < NODES.length; i++) {
          stored.copyRow(NODES[i], code);
          assertArrayEquals(codes[i], code);
        }
        MemorySegment segment = stored.segment();
        for (PqKernels kernels : kernels()) {
          short[] sums = new short[64];
          kernels.score(
              segment, 0, NODES, NODES.length, CODE_BYTES, levels, new byte[64 * CODE_BYTES], sums);
          for (int i = 0; i < NODES.length; i++) {
            assertEquals(sum(codes[i], levels), sums[i], kernels.name());
          }
        }
      }
    }
  }

  @Test
  void neighborListsAreFound(Random random) throws IOException {
    long listsLength = 33L * SIZE;
    int stride = EntrySample.stride(SIZE);
    GraphMeta meta = new GraphMeta(0, SIZE, CODE_BYTES, 16, stride, listsLength, 12, OFFSET);
    long entries = ((SIZE + stride - 1) / stride + 63) / 64 * 64L * CODE_BYTES;
    long numbers = ((long) SIZE * ORD_BITS + 7) / 8 + 7;
    long nodeToOrd = OFFSET + entries;
    long ordToNode = nodeToOrd + numbers;
    long groups = ordToNode + numbers;
    long offsets = groups + ((SIZE + 15) / 16 * 32L + 7) / 8 + 7;
    long lists = offsets + (SIZE * 12L + 7) / 8 + 7;
    assertTrue(33L * NODES[NODES.length - 1] > 1L << 31);
    assertEquals(lists + listsLength + 8, OFFSET + meta.length());
    int[][] neighbors = new int[NODES.length][];
    try (SparseFile file = new SparseFile(OFFSET + meta.length() + 16)) {
      for (int i = 0; i < NODES.length; i++) {
        int node = NODES[i];
        neighbors[i] =
            IntStream.generate(() -> random.nextInt(SIZE))
                .filter(neighbor -> neighbor != node)
                .limit(32)
                .distinct()
                .sorted()
                .toArray();
        ByteBuffersDataOutput list = new ByteBuffersDataOutput();
        int count = neighbors[i].length;
        NeighborCodec.write(list, NeighborCodec.countBits(48), node, neighbors[i], count);
        long offset = 200L * (node % 16); // more than a list takes
        long group =
            node == SIZE - 1 ? listsLength - list.size() - offset : 33L * (node - node % 16);
        file.write(lists + group + offset, list.toArrayCopy());
        file.writeBits(nodeToOrd, ORD_BITS, node, SIZE - 1 - node);
        file.writeBits(ordToNode, ORD_BITS, SIZE - 1 - node, node);
        file.writeBits(groups, 32, node / 16, group);
        file.writeBits(offsets, 12, node, offset);
      }
      try (IndexInput in = file.open()) {
        MappedGraph graph = new MappedGraph("field", meta, in);
        for (int i = 0; i < NODES.length; i++) {
          assertEquals(SIZE - 1 - NODES[i], graph.ord(NODES[i]));
          assertEquals(NODES[i], graph.node(SIZE - 1 - NODES[i]));
          int[] found = new int[graph.maxDegree()];
          int count = graph.neighbors(NODES[i], found);
          Arrays.sort(found, 0, count);
          assertArrayEquals(neighbors[i], Arrays.copyOf(found, count));
        }
      }
    }
  }

  @Test
  void regionsOfWrongLengthAreRefused() throws IOException {
    CodesMeta.Codes meta = meta(CodesMeta.Arrangement.ROWS);
    long end = OFFSET + meta.codesLength();
    for (long length : new long[] {end, end - 1, end + 1, end & Integer.MAX_VALUE}) {
      try (Directory directory = new MMapDirectory(folder)) {
        try (SparseFile file = new SparseFile(length + CodecUtil.footerLength());
            IndexInput in = file.open()) {
          DataLayout layout = new DataLayout(in, OFFSET - 1);
          if (length < end) {
            assertThrows(
                CorruptIndexException.class,
                () -> layout.next("field", "codes", OFFSET, meta.codesLength()));
          } else {
            layout.next("field", "codes", OFFSET, meta.codesLength());
            if (length == end) {
              layout.finish();
            } else {
              assertThrows(CorruptIndexException.class, layout::finish);
            }
          }
        }
        directory.deleteFile("sparse");
      }
    }
  }

  @Test
  void aLengthThatNoLongHoldsIsRefused() throws IOException {
    int stride = EntrySample.stride(SIZE);
    GraphMeta meta = new GraphMeta(0, SIZE, CODE_BYTES, 16, stride, Long.MAX_VALUE, 12, OFFSET);
    assertTrue(meta.length() < 0, meta.length() + " bytes");
    try (SparseFile file = new SparseFile(2 * OFFSET);
        IndexInput in = file.open()) {
      DataLayout layout = new DataLayout(in, OFFSET);
      assertThrows(
          CorruptIndexException.class, () -> layout.next("field", "graph", OFFSET, meta.length()));
    }
  }
}
