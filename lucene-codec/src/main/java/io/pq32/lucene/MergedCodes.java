package io.pq32.lucene;

import java.io.IOException;
import java.util.ArrayList;
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
  private final List<Source> sources = new ArrayList<>();
  private final boolean needsIndexSort;

  /** One segment with the field. {@code codes} is null where the vectors must be encoded. */
  private static final class Source extends DocIDMerger.Sub {
    private final KnnVectorValues.DocIndexIterator iterator;
    private final int size;
    private final StoredCodes codes;

    Source(MergeState.DocMap docMap, FloatVectorValues values, StoredCodes codes) {
      super(docMap);
      this.iterator = values.iterator();
      this.size = values.size();
      this.codes = codes;
    }

    @Override
    public int nextDoc() throws IOException {
      return iterator.nextDoc();
    }
  }

  MergedCodes(FieldInfo field, MergeState state) throws IOException {
    needsIndexSort = state.needsIndexSort;
    for (int i = 0; i < state.knnVectorsReaders.length; i++) {
      if (!MergedVectorValues.hasVectorValues(state.fieldInfos[i], field.name)
          || state.knnVectorsReaders[i] == null) {
        continue;
      }
      FloatVectorValues values = state.knnVectorsReaders[i].getFloatVectorValues(field.name);
      if (values != null) {
        StoredCodes codes = codes(state.knnVectorsReaders[i], field.name);
        sources.add(new Source(state.docMaps[i], values, codes));
      }
    }
  }

  private static StoredCodes codes(KnnVectorsReader reader, String field) throws IOException {
    return switch (reader) {
      case PerFieldKnnVectorsFormat.FieldsReader perField ->
          codes(perField.getFieldReader(field), field);
      case Pq32VectorsReader ours -> ours.codes(field);
      case null, default -> null;
    };
  }

  /** The codebook that most vectors are encoded with, or null when none is. */
  Codebook mostUsed() throws IOException {
    Map<String, Integer> sizes = new HashMap<>();
    StoredCodes best = null;
    for (Source source : sources) {
      if (source.codes != null) {
        int size = sizes.merge(source.codes.meta().codebookId(), source.size, Integer::sum);
        if (best == null || size > sizes.get(best.meta().codebookId())) {
          best = source.codes;
        }
      }
    }
    return best == null ? null : best.codebook();
  }

  /**
   * Writes the codes of all merged vectors: copies those made with the codebook, makes the others.
   *
   * @return how many were copied
   */
  int write(FloatVectorValues merged, Codebook codebook, CodeBlocksWriter out, MergeState state)
      throws IOException {
    Map<Source, StoredCodes.Cursor> cursors = new HashMap<>();
    for (Source source : sources) {
      if (source.codes != null && source.codes.meta().codebookId().equals(codebook.id())) {
        cursors.put(source, source.codes.cursor());
      }
    }
    int copied = 0;
    DocIDMerger<Source> merger = DocIDMerger.of(sources, needsIndexSort);
    byte[] code = new byte[codebook.quantizer().layout().codeBytes()];
    int ord = 0;
    for (Source source = merger.next(); source != null; source = merger.next()) {
      if (ord % ABORT_CHECK_INTERVAL == 0) {
        state.checkAborted();
      }
      StoredCodes.Cursor cursor = cursors.get(source);
      if (cursor == null) {
        out.add(merged.vectorValue(ord));
      } else {
        cursor.copy(source.iterator.index(), code);
        out.addCode(code, 0);
        copied++;
      }
      ord++;
    }
    out.finish();
    return copied;
  }

  /**
   * Codes between two looks at whether the merge was aborted: some ten milliseconds of encoding.
   */
  static final int ABORT_CHECK_INTERVAL = 1024;
}
