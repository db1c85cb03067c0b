package io.pq32.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter.MergedVectorValues;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.index.DocIDMerger;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.MergeState;

/** Which codes do the segments of a merge already have, and which vector of the merge has which? */
final class MergedCodes {
  /**
   * Codes between two looks at whether the merge was aborted: some ten milliseconds of encoding.
   */
  private static final int ABORT_CHECK_INTERVAL = 1024;

  private final List<Source> sources = new ArrayList<>();
  private final boolean needsIndexSort;
  private GraphSeed seed;

  /** One segment with the field. */
  private static final class Source extends DocIDMerger.Sub {
    private final KnnVectorValues.DocIndexIterator iterator;
    private final int size;
    private final QuantizedField codes; // null: the vectors have no codes
    private QuantizedField.CodeReader reader; // made at first use

    Source(MergeState.DocMap docMap, FloatVectorValues values, QuantizedField codes) {
      super(docMap);
      this.iterator = values.iterator();
      this.size = values.size();
      this.codes = codes;
    }

    @Override
    public int nextDoc() throws IOException {
      return iterator.nextDoc();
    }

    QuantizedField.CodeReader reader() throws IOException {
      if (reader == null) {
        reader = codes.codeReader();
      }
      return reader;
    }

    boolean encodedWith(Codebook codebook) {
      return codes != null
          && codes.codes().meta().codebookId().equals(codebook.id())
          && codes.codes().meta().layout().equals(codebook.quantizer().layout());
    }

    boolean isOutlier(int ord) {
      return Arrays.binarySearch(codes.codes().meta().outliers(), ord) >= 0;
    }
  }

  MergedCodes(FieldInfo field, MergeState state) throws IOException {
    needsIndexSort = state.needsIndexSort;
    for (int i = 0; i < state.knnVectorsReaders.length; i++) {
      KnnVectorsReader reader = state.knnVectorsReaders[i];
      if (reader != null && MergedVectorValues.hasVectorValues(state.fieldInfos[i], field.name)) {
        FloatVectorValues values = reader.getFloatVectorValues(field.name);
        if (values != null) {
          sources.add(new Source(state.docMaps[i], values, quantized(reader, field.name)));
        }
      }
    }
  }

  private static QuantizedField quantized(KnnVectorsReader reader, String field) {
    return switch (reader) {
      case PerFieldKnnVectorsFormat.FieldsReader perField ->
          quantized(perField.getFieldReader(field), field);
      case Pq32VectorsReader ours -> ours.quantizedOrNull(field);
      case null, default -> null;
    };
  }

  /** The codebook that most vectors are encoded with, or null when none is. */
  Codebook mostUsed() throws IOException {
    Map<String, Integer> sizes = new HashMap<>();
    StoredCodes best = null;
    for (Source source : sources) {
      if (source.codes != null) {
        StoredCodes codes = source.codes.codes();
        int size = sizes.merge(codes.meta().codebookId(), source.size, Integer::sum);
        if (best == null || size > sizes.get(best.meta().codebookId())) {
          best = codes;
        }
      }
    }
    return best == null ? null : best.codebook();
  }

  /** The source with the largest graph, or null when none has one. */
  private Source largestGraph() {
    Source largest = null;
    for (Source source : sources) {
      if (source.codes != null
          && source.codes.graph() != null
          && (largest == null || source.size > largest.size)) {
        largest = source;
      }
    }
    return largest;
  }

  /** The largest of the graphs, or null when no segment has one; known once codes are written. */
  GraphSeed seed() {
    return seed;
  }

  /**
   * Writes the codes of all merged vectors: copies those made with the codebook, makes the others
   * and those of outliers, whose lengths count.
   *
   * @return how many were copied
   */
  int write(FloatVectorValues merged, Codebook codebook, CodeSink out, MergeState state)
      throws IOException {
    int copied = 0;
    DocIDMerger<Source> merger = DocIDMerger.of(sources, needsIndexSort);
    byte[] code = new byte[codebook.quantizer().layout().codeBytes()];
    Source largest = largestGraph();
    int[] sourceNodes = largest == null ? null : new int[merged.size()];
    int live = 0;
    int ord = 0;
    for (Source source = merger.next(); source != null; source = merger.next()) {
      if (ord % ABORT_CHECK_INTERVAL == 0) {
        state.checkAborted();
      }
      if (source.encodedWith(codebook) && !source.isOutlier(source.iterator.index())) {
        source.reader().copy(source.iterator.index(), code);
        out.addCode(code);
        copied++;
      } else {
        out.add(merged.vectorValue(ord));
      }
      if (largest != null) {
        boolean ofLargest = source == largest;
        sourceNodes[ord] = ofLargest ? largest.codes.graph().node(source.iterator.index()) : -1;
        live += ofLargest ? 1 : 0;
      }
      ord++;
    }
    out.finish();
    seed = largest == null ? null : new GraphSeed(largest.codes.graph(), sourceNodes, live);
    return copied;
  }
}
