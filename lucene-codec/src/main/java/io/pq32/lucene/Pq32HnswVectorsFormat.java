package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;

/**
 * Vectors format that keeps a few bytes of every vector hot: a product-quantized code (32 bytes by
 * default, whatever the dimension), searched by scanning or through a graph. The most promising
 * candidates are scored again on the full vectors, so every score returned is exact.
 *
 * <p>A segment with too few vectors for a codebook ({@link Pq32HnswConfig#minQuantizedCount()}) has
 * floats only, one below {@link Pq32HnswConfig#graphThreshold()} has codes in blocks, a larger one
 * has a graph and codes in the order of its nodes. Fields of byte vectors are left to {@link
 * org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat}.
 *
 * <h2>Files</h2>
 *
 * Full float vectors are in {@code .vec} and {@code .vemf}, as {@link
 * org.apache.lucene.codecs.lucene99.Lucene99FlatVectorsFormat} writes them. Byte vectors are in
 * files of Lucene's whose segment suffix ends in {@code bytes}. Our own four files start with an
 * {@linkplain org.apache.lucene.codecs.CodecUtil#writeIndexHeader index header} (codec name {@code
 * Pq32CodesMeta}, {@code Pq32Codes}, {@code Pq32GraphMeta}, {@code Pq32Graph}; version 0) and end
 * in a {@linkplain org.apache.lucene.codecs.CodecUtil#writeFooter footer} with a checksum. In the
 * tables, int is 4 bytes little endian, vint and vlong are Lucene's, float is the bits of a float32
 * as an int.
 *
 * <h2>.vemq: what {@code .veq} holds</h2>
 *
 * For each field:
 *
 * <ul>
 *   <li>int: field number; -1 after the last field, and nothing more
 *   <li>byte: kind. 0: byte vectors; 1: floats only; neither has more. 2: codes, and there follow
 *   <li>byte: similarity. 0 euclidean, 1 dot product, 2 cosine, 3 maximum inner product
 *   <li>vint: dimension
 *   <li>byte: bytes per code, one per sub-quantizer
 *   <li>vint: count of vectors
 *   <li>byte: arrangement of the codes. 0 blocks, 1 rows
 *   <li>16 bytes: identity of the codebook, the start of its SHA-256
 *   <li>float: distortion when the codebook was trained
 *   <li>vlong: offset of the codebook in {@code .veq}
 *   <li>vlong: offset of the codes in {@code .veq}
 *   <li>vint: count of outliers, the vectors too long for their codes: 0 for euclidean and cosine,
 *       else at most 64 or, if that is more, a 1024th of the vectors
 *   <li>for each outlier, ascending, vint: its ordinal
 * </ul>
 *
 * <h2>.veq: codebooks and codes</h2>
 *
 * Nodes are vectors in an order that puts near ones next to each other. For each field with codes,
 * in the order of {@code .vemq}, each part at the first multiple of 64 after the one before:
 *
 * <ul>
 *   <li>codebook: what {@link io.pq32.quantization.ProductQuantizer#toBytes()} describes
 *   <li>codes. In rows: for each node its code, and nothing more. In blocks, without gaps:
 *       <ul>
 *         <li>codes of the nodes, in blocks of 64: for each sub-quantizer 64 bytes, one per node;
 *             the last block is filled up with zeros
 *         <li>heads, in blocks of 64 as well: for each block of nodes the code of the mean of what
 *             its codes stand for
 *         <li>unless the similarity is euclidean, for each block of nodes, float: {@link
 *             io.pq32.quantization.ProductSpread} of its codes
 *         <li>for each node: its ordinal, packed. The ordinals of a block are ascending
 *         <li>for each ordinal: the number of its block, packed
 *       </ul>
 * </ul>
 *
 * Packed numbers take as many bits each as the largest one of their part may need (the last node or
 * block, the length of the lists), one after the other from the lowest bit of the first byte on;
 * the last byte is filled up with zeros, and 7 zero bytes follow.
 *
 * <h2>.vem: what {@code .vex} holds</h2>
 *
 * For each field with a graph:
 *
 * <ul>
 *   <li>int: field number; -1 after the last field, and nothing more
 *   <li>vint: nodes
 *   <li>vint: bytes per code
 *   <li>vint: maxConn; a node has at most three times as many neighbors
 *   <li>vint: entry stride; nodes 0, stride, 2 x stride and so on are entries
 *   <li>vlong: length of the neighbor lists
 *   <li>vint: bits of an offset of a list
 *   <li>vlong: offset of the graph in {@code .vex}
 * </ul>
 *
 * <h2>.vex: graphs</h2>
 *
 * For each field with a graph, in the order of {@code .vem} and of {@code .vemq}, from the first
 * multiple of 64 after the one before on, without gaps:
 *
 * <ul>
 *   <li>codes of the entries, in blocks as in {@code .veq}
 *   <li>for each node: its ordinal, packed
 *   <li>for each ordinal: its node, packed
 *   <li>for each 16 nodes: position of the first one's list from the first list on, packed
 *   <li>for each node: offset of its list from that of the first of its 16, packed
 *   <li>for each node its neighbors, from the lowest bit of a byte on. Count of those with greater
 *       numbers, count of the others: as many bits each as three times maxConn takes. Two widths, 5
 *       bits each. Then for every 32 neighbors or what is left of them: a bit per neighbor that
 *       tells which width; and as many bits per neighbor: its distance, less one, to the one before
 *       it, or to the node. The greater ones come first, going up, then the others, going down
 *   <li>8 zero bytes
 * </ul>
 */
public final class Pq32HnswVectorsFormat extends KnnVectorsFormat {
  /** SPI name, the simple class name. */
  public static final String NAME = "Pq32HnswVectorsFormat";

  /** Largest dimension of a field. */
  public static final int MAX_DIMENSIONS = 4096;

  private final Pq32HnswConfig config;
  private final RawVectors rawVectors;
  private final CodebookCache cache = new CodebookCache();

  /** For SPI and for reading, with the default configuration. */
  public Pq32HnswVectorsFormat() {
    this(Pq32HnswConfig.DEFAULT);
  }

  /** Writes new segments with the given configuration. */
  public Pq32HnswVectorsFormat(Pq32HnswConfig config) {
    super(NAME);
    this.config = config;
    this.rawVectors = new RawVectors(config);
  }

  @Override
  public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
    return new Pq32VectorsWriter(state, config, cache, rawVectors);
  }

  @Override
  public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
    return new Pq32VectorsReader(state, rawVectors, SearchPlan.Costs.MEASURED);
  }

  @Override
  public int getMaxDimensions(String fieldName) {
    return MAX_DIMENSIONS;
  }

  @Override
  public String toString() {
    return NAME + "(" + config + ")";
  }
}
