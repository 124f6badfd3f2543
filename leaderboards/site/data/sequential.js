RECMERGE.take("sequential",
{
"suite":"sequential",
"title":"One domain each: sequential recommenders beside public numbers",
"label":"converged",
"about":"Trainings end by validation. Means over the seeds.",
"question":"Which sequential model predicts a user's next item best, and do any beat counting?",
"answer":"Best model on beauty: unisrec-ids, NDCG@10 0.0580; above the best heuristic, last-item (0.0439).",
"detail":"",
"place":[
"beauty",
"loo-masked"
],
"seeds":[
0,
1,
2,
3,
4
],
"datasets":[
"amazon-mergerec",
"ml-100k-whole"
],
"date":"2026-11-28",
"done":117,
"total":201,
"command":"recmerge-bench run --suite benchmarks/sequential.yaml",
"metrics":[
"NDCG@10",
"Recall@10"
],
"tables":[
{
"track":"beauty",
"protocol":"loo-masked",
"domains":[
"beauty"
],
"card":[
["naive gate","Naive gate passed on sasrec: the trained models, fine-tune (0.0499), beat popularity (0.0053), last-item (0.0439) and item-knn (0.0398) by NDCG@10, means over domains and seeds."],
["naive gate","Naive gate not decided on esasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped)."],
["naive gate","Naive gate passed on unisrec-ids: the trained models, fine-tune (0.0580), beat popularity (0.0053), last-item (0.0439) and item-knn (0.0398) by NDCG@10, means over domains and seeds."],
["dataset","amazon-mergerec"],
["domains","beauty"],
["rows tuned on","none (6 rows)"],
["models tuned on","sasrec: 16 x validation labels of beauty (width, dropout, weight decay, depth, averaging of weights, shared negatives (10: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration)); esasrec: 4 x validation labels of beauty (width, heads, dropout, learning rate (3: quality/records/sequential-trials.jsonl), two epochs of another (claims/records/merging-trials.jsonl); what is common to all was chosen with sasrec); unisrec-ids: 9 x validation labels of beauty (width, learning rate, dropout, weight decay (4: quality/records/sequential-trials.jsonl); before them learning rate, temperature, dropout (5, claims/records/merging-trials.jsonl))"],
["source of the shared base","none"],
["split","leave-one-out per domain, full ranking without items of the history (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","yes"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","beauty 22363"],
["seeds","0, 1, 2, 3, 4"]
],
"reference":"fine-tune",
"compared":[
{"metric":"NDCG@10","id":"0582da","label":"sasrec fine-tune","mean":0.0499188},
{"metric":"NDCG@10","id":"91ff5b","label":"unisrec-ids fine-tune","mean":0.0579547}
],
"across":null,
"groups":{
"history-1":"history-1: 4 events before the target (7,162 targets)",
"history-2":"history-2: 5 events before the target (4,221 targets)",
"history-3":"history-3: 6 events before the target (2,680 targets)",
"history-4":"history-4: 7 to 9 events before the target (4,058 targets)",
"history-5":"history-5: 10 to 203 events before the target (4,242 targets)",
"popularity-1":"popularity-1: 1 to 4 training events of the target (4,594 targets)",
"popularity-2":"popularity-2: 5 to 8 training events of the target (4,299 targets)",
"popularity-3":"popularity-3: 9 to 17 training events of the target (4,742 targets)",
"popularity-4":"popularity-4: 18 to 41 training events of the target (4,242 targets)",
"popularity-5":"popularity-5: 42 to 369 training events of the target (4,348 targets)",
"transition-new":"transition-new: the last item was never followed by the target there (20,438 targets)",
"transition-seen":"transition-seen: the last item was followed by the target in training (1,925 targets)"
},
"cards":[
{"title":"Order: NDCG@10 on shuffled histories","answer":"","headers":["backbone","method","true order","shuffled","loss","95 %","seeds"],"rows":[["\u2013","popularity","0.0053","0.0053","0.0 %","[0.0, 0.0]","\u2013"],["\u2013","last-item","0.0439","0.0166","62.3 %","[59.0, 65.3]","\u2013"],["\u2013","item-knn","0.0398","0.0318","20.0 %","[17.2, 22.7]","\u2013"],["sasrec","fine-tune","0.0499","0.0270","46.0 %","[43.0, 48.9]","5"],["unisrec-ids","fine-tune","0.0580","0.0308","46.9 %","[44.1, 49.5]","5"]],"note":"The same trained models rank the same targets with the events of each history in random order (protocol loo-masked-shuffled, seed 2026): each model reads the items that it reads in true order. The loss is what of the metric's mean goes with the order; where it is small, a model reads a set and no sequence."},
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0056","0.0053","0.0053","97.1 %","0.3 %"],["\u2013","last-item","0.0441","0.0439","0.0438","90.3 %","0.4 %"],["\u2013","item-knn","0.0402","0.0398","0.0396","78.2 %","0.4 %"],["sasrec","fine-tune","0.0499","0.0499","0.0499","0.0 %","0.0 %"],["unisrec-ids","fine-tune","0.0580","0.0580","0.0580","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","1,069,246","6,229,646","47.4 (37.4)","sampled-ce","2.947","NDCG@10@loo-masked","none","16 x validation labels of beauty"],["unisrec-ids","fine-tune","2","329,434","1,919,300","14.6 (4.6)","\u2013","5.842","NDCG@10@loo-masked","none","9 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained. Contamination, text encoder minilm: trained on 1.17 billion sentence pairs of some 30 sources (Reddit, S2ORC, WikiAnswers, PAQ, Stack Exchange, MS MARCO, GOOAQ, Yahoo Answers and others) (model card of sentence-transformers/all-MiniLM-L6-v2, training data, 1,170,060,424 pairs); overlap: none listed: no reviews, questions or product texts of Amazon stand in its card's table of training data."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 586ada1cae56","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.00528666,null,[0.00528666]],"mean":[0.00528666,null,[0.00528666]]},"Recall@10":{"beauty":[0.0109556,null,[0.0109556]],"mean":[0.0109556,null,[0.0109556]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.0446322,"relative":-0.894095,"methods":[-0.0479447,-0.0413197],"p":6.03442e-07,"models":[-0.0477044,-0.0415599],"alone":[-0.0471209,-0.0421434],"bootstrap":[-0.0471942,-0.0420056],"dz":-0.250255,"wins":[195,19550,2618]},"cost":{"train":0.089,"merge":0,"other":2.397,"peak":384},"groups":{"history-1":0.00609893,"history-2":0.00629406,"history-3":0.00639145,"history-4":0.00487133,"history-5":0.00261218,"popularity-1":0,"popularity-2":0,"popularity-3":0,"popularity-4":0,"popularity-5":0.0271908,"transition-new":0.00445109,"transition-seen":0.0141581},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 5f76d0662b09","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.043865,null,[0.043865]],"mean":[0.043865,null,[0.043865]]},"Recall@10":{"beauty":[0.0665832,null,[0.0665832]],"mean":[0.0665832,null,[0.0665832]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00605379,"relative":-0.121273,"methods":[-0.00789979,-0.00420779],"p":0.000244132,"models":[-0.00766983,-0.00443775],"alone":[-0.00789979,-0.00420779],"bootstrap":[-0.00809185,-0.00403335],"dz":-0.0491001,"wins":[946,19703,1714]},"cost":{"train":0.161,"merge":0,"other":2.286,"peak":386},"groups":{"history-1":0.0365674,"history-2":0.0427661,"history-3":0.03964,"history-4":0.0419876,"history-5":0.0617448,"popularity-1":0.0164259,"popularity-2":0.0156682,"popularity-3":0.0345455,"popularity-4":0.0472199,"popularity-5":0.109019,"transition-new":0.00100351,"transition-seen":0.498932},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration c66151ac1851","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.0397734,null,[0.0397734]],"mean":[0.0397734,null,[0.0397734]]},"Recall@10":{"beauty":[0.0665832,null,[0.0665832]],"mean":[0.0665832,null,[0.0665832]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.0101454,"relative":-0.203238,"methods":[-0.012514,-0.00777685],"p":7.3082e-05,"models":[-0.0122706,-0.00802021],"alone":[-0.0121999,-0.00809089],"bootstrap":[-0.0122796,-0.00788375],"dz":-0.0715572,"wins":[878,19498,1987]},"cost":{"train":1.228,"merge":0,"other":3.759,"peak":416},"groups":{"history-1":0.0391895,"history-2":0.0432154,"history-3":0.0387706,"history-4":0.0362667,"history-5":0.0413224,"popularity-1":0.0260358,"popularity-2":0.0267062,"popularity-3":0.0372588,"popularity-4":0.0326403,"popularity-5":0.0781722,"transition-new":0.0163192,"transition-seen":0.28879},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 7ae056d709d5","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"beauty":[0.0499188,[0.0487069,0.0511307],[0.0503317,0.0504525,0.0496985,0.0507892,0.0483222]],"mean":[0.0499188,[0.0487069,0.0511307],[0.0503317,0.0504525,0.0496985,0.0507892,0.0483222]]},"Recall@10":{"beauty":[0.084926,[0.0825497,0.0873023],[0.0849171,0.086974,0.0850512,0.0858561,0.0818316]],"mean":[0.084926,[0.0825497,0.0873023],[0.0849171,0.086974,0.0850512,0.0858561,0.0818316]]}},"shares":{"NDCG@10":{"beauty":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"beauty":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":312.93,"merge":0,"other":1.8236,"peak":500},"groups":{"history-1":0.0447652,"history-2":0.0470261,"history-3":0.0482126,"history-4":0.0460081,"history-5":0.0663175,"popularity-1":0.0140328,"popularity-2":0.0213237,"popularity-3":0.0413383,"popularity-4":0.053694,"popularity-5":0.123367,"transition-new":0.0152469,"transition-seen":0.418036},"gaps":[]},
{"id":"52d173","backbone":"esasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration a0663d36daee","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]},
{"id":"91ff5b","backbone":"unisrec-ids","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 485a00d96acf","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"beauty":[0.0579547,[0.0572199,0.0586895],[0.0572809,0.0583244,0.0587205,0.0574819,0.0579657]],"mean":[0.0579547,[0.0572199,0.0586895],[0.0572809,0.0583244,0.0587205,0.0574819,0.0579657]]},"Recall@10":{"beauty":[0.0975719,[0.0969208,0.0982229],[0.0971247,0.0982873,0.0974377,0.09708,0.0979296]],"mean":[0.0975719,[0.0969208,0.0982229],[0.0971247,0.0982873,0.0974377,0.09708,0.0979296]]}},"shares":{"NDCG@10":{"beauty":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"beauty":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":206.211,"merge":0,"other":122.991,"peak":1945},"groups":{"history-1":0.0572138,"history-2":0.0540697,"history-3":0.0511884,"history-4":0.0551141,"history-5":0.0700636,"popularity-1":0.0301532,"popularity-2":0.035239,"popularity-3":0.0509126,"popularity-4":0.060969,"popularity-5":0.116368,"transition-new":0.0260993,"transition-seen":0.396168},"gaps":[]}
]
},
{
"track":"beauty",
"protocol":"loo",
"domains":[
"beauty"
],
"card":[
["naive gate","Naive gate not passed on sasrec: nothing is said here of which method is better. The trained models, fine-tune (0.0339), do not beat last-item (0.0427), which only counts, by NDCG@10, means over domains and seeds; they beat popularity (0.0051) and item-knn (0.0318). Verdicts on merging such models would say nothing of good ones."],
["naive gate","Naive gate not decided on esasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped)."],
["naive gate","Naive gate not passed on unisrec-ids: nothing is said here of which method is better. The trained models, fine-tune (0.0399), do not beat last-item (0.0427), which only counts, by NDCG@10, means over domains and seeds; they beat popularity (0.0051) and item-knn (0.0318). Verdicts on merging such models would say nothing of good ones."],
["dataset","amazon-mergerec"],
["domains","beauty"],
["rows tuned on","none (6 rows)"],
["models tuned on","sasrec: 16 x validation labels of beauty (width, dropout, weight decay, depth, averaging of weights, shared negatives (10: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration)); esasrec: 4 x validation labels of beauty (width, heads, dropout, learning rate (3: quality/records/sequential-trials.jsonl), two epochs of another (claims/records/merging-trials.jsonl); what is common to all was chosen with sasrec); unisrec-ids: 9 x validation labels of beauty (width, learning rate, dropout, weight decay (4: quality/records/sequential-trials.jsonl); before them learning rate, temperature, dropout (5, claims/records/merging-trials.jsonl))"],
["source of the shared base","none"],
["split","leave-one-out per domain, full ranking (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","beauty 22363"],
["seeds","0, 1, 2, 3, 4"]
],
"reference":"fine-tune",
"compared":[],
"across":null,
"groups":{
"history-1":"history-1: 4 events before the target (7,162 targets)",
"history-2":"history-2: 5 events before the target (4,221 targets)",
"history-3":"history-3: 6 events before the target (2,680 targets)",
"history-4":"history-4: 7 to 9 events before the target (4,058 targets)",
"history-5":"history-5: 10 to 203 events before the target (4,242 targets)",
"popularity-1":"popularity-1: 1 to 4 training events of the target (4,594 targets)",
"popularity-2":"popularity-2: 5 to 8 training events of the target (4,299 targets)",
"popularity-3":"popularity-3: 9 to 17 training events of the target (4,742 targets)",
"popularity-4":"popularity-4: 18 to 41 training events of the target (4,242 targets)",
"popularity-5":"popularity-5: 42 to 369 training events of the target (4,348 targets)",
"transition-new":"transition-new: the last item was never followed by the target there (20,438 targets)",
"transition-seen":"transition-seen: the last item was followed by the target in training (1,925 targets)"
},
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0055","0.0051","0.0051","97.1 %","0.3 %"],["\u2013","last-item","0.0429","0.0427","0.0426","90.3 %","0.4 %"],["\u2013","item-knn","0.0320","0.0318","0.0316","78.2 %","0.3 %"],["sasrec","fine-tune","0.0339","0.0339","0.0339","0.0 %","0.0 %"],["unisrec-ids","fine-tune","0.0399","0.0399","0.0399","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","1,069,246","6,229,646","47.4 (37.4)","sampled-ce","2.947","NDCG@10@loo-masked","none","16 x validation labels of beauty"],["unisrec-ids","fine-tune","2","329,434","1,919,300","14.6 (4.6)","\u2013","5.842","NDCG@10@loo-masked","none","9 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained. Contamination, text encoder minilm: trained on 1.17 billion sentence pairs of some 30 sources (Reddit, S2ORC, WikiAnswers, PAQ, Stack Exchange, MS MARCO, GOOAQ, Yahoo Answers and others) (model card of sentence-transformers/all-MiniLM-L6-v2, training data, 1,170,060,424 pairs); overlap: none listed: no reviews, questions or product texts of Amazon stand in its card's table of training data."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 502cbdab6ae6","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.00511323,null,[0.00511323]],"mean":[0.00511323,null,[0.00511323]]},"Recall@10":{"beauty":[0.0106426,null,[0.0106426]],"mean":[0.0106426,null,[0.0106426]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.089,"merge":0,"other":2.397,"peak":384},"groups":{"history-1":0.00587084,"history-2":0.0062216,"history-3":0.00608204,"history-4":0.00479995,"history-5":0.00241888,"popularity-1":0,"popularity-2":0,"popularity-3":0,"popularity-4":0,"popularity-5":0.0262988,"transition-new":0.00436682,"transition-seen":0.013038},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 440cdb257305","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.0426521,null,[0.0426521]],"mean":[0.0426521,null,[0.0426521]]},"Recall@10":{"beauty":[0.0656441,null,[0.0656441]],"mean":[0.0656441,null,[0.0656441]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.161,"merge":0,"other":2.286,"peak":386},"groups":{"history-1":0.0359653,"history-2":0.0418004,"history-3":0.0393371,"history-4":0.040682,"history-5":0.058768,"popularity-1":0.0162851,"popularity-2":0.0155867,"popularity-3":0.0333587,"popularity-4":0.0456186,"popularity-5":0.105866,"transition-new":0.000982502,"transition-seen":0.485064},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 041aa3125b49","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.0317687,null,[0.0317687]],"mean":[0.0317687,null,[0.0317687]]},"Recall@10":{"beauty":[0.0573268,null,[0.0573268]],"mean":[0.0573268,null,[0.0573268]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":1.228,"merge":0,"other":3.759,"peak":416},"groups":{"history-1":0.0361713,"history-2":0.0364413,"history-3":0.0305847,"history-4":0.0270875,"history-5":0.0249125,"popularity-1":0.0159292,"popularity-2":0.0214701,"popularity-3":0.028604,"popularity-4":0.0250116,"popularity-5":0.0697393,"transition-new":0.0121277,"transition-seen":0.2403},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration fbbff0478859","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"beauty":[0.0339155,[0.0332173,0.0346137],[0.0340182,0.0343453,0.0335667,0.034506,0.0331414]],"mean":[0.0339155,[0.0332173,0.0346137],[0.0340182,0.0343453,0.0335667,0.034506,0.0331414]]},"Recall@10":{"beauty":[0.074668,[0.0725866,0.0767493],[0.0743192,0.0762867,0.0749452,0.0757948,0.0719939]],"mean":[0.074668,[0.0725866,0.0767493],[0.0743192,0.0762867,0.0749452,0.0757948,0.0719939]]}},"shares":{"NDCG@10":{"beauty":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"beauty":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":312.93,"merge":0,"other":1.8236,"peak":500},"groups":{"history-1":0.0313962,"history-2":0.0324691,"history-3":0.0325492,"history-4":0.0319635,"history-5":0.042339,"popularity-1":0.00793557,"popularity-2":0.0146022,"popularity-3":0.0279139,"popularity-4":0.0361697,"popularity-5":0.0858839,"transition-new":0.0104726,"transition-seen":0.282812},"gaps":[]},
{"id":"52d173","backbone":"esasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 2b9017c8f60c","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]},
{"id":"91ff5b","backbone":"unisrec-ids","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 930fdf01ef86","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"beauty":[0.0399456,[0.0393242,0.040567],[0.0392904,0.0403536,0.0405193,0.0398912,0.0396735]],"mean":[0.0399456,[0.0393242,0.040567],[0.0392904,0.0403536,0.0405193,0.0398912,0.0396735]]},"Recall@10":{"beauty":[0.0879757,[0.0864108,0.0895405],[0.086661,0.0894782,0.0891204,0.0876001,0.0870187]],"mean":[0.0879757,[0.0864108,0.0895405],[0.086661,0.0894782,0.0891204,0.0876001,0.0870187]]}},"shares":{"NDCG@10":{"beauty":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"beauty":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":206.211,"merge":0,"other":122.991,"peak":1945},"groups":{"history-1":0.040319,"history-2":0.038057,"history-3":0.0346305,"history-4":0.0384799,"history-5":0.0459546,"popularity-1":0.0192864,"popularity-2":0.0243485,"popularity-3":0.0344781,"popularity-4":0.0417303,"popularity-5":0.0826845,"transition-new":0.0183764,"transition-seen":0.268949},"gaps":[]}
]
},
{
"track":"toys",
"protocol":"loo-masked",
"domains":[
"toys"
],
"card":[
["naive gate","Naive gate passed on sasrec: the trained models, fine-tune (0.0563), beat popularity (0.0049), last-item (0.0477) and item-knn (0.0498) by NDCG@10, means over domains and seeds."],
["naive gate","Naive gate not decided on esasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped)."],
["naive gate","Naive gate passed on unisrec-ids: the trained models, fine-tune (0.0624), beat popularity (0.0049), last-item (0.0477) and item-knn (0.0498) by NDCG@10, means over domains and seeds."],
["dataset","amazon-mergerec"],
["domains","toys"],
["rows tuned on","none (6 rows)"],
["models tuned on","sasrec: 16 x validation labels of beauty (width, dropout, weight decay, depth, averaging of weights, shared negatives (10: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration)); esasrec: 4 x validation labels of beauty (width, heads, dropout, learning rate (3: quality/records/sequential-trials.jsonl), two epochs of another (claims/records/merging-trials.jsonl); what is common to all was chosen with sasrec); unisrec-ids: 9 x validation labels of beauty (width, learning rate, dropout, weight decay (4: quality/records/sequential-trials.jsonl); before them learning rate, temperature, dropout (5, claims/records/merging-trials.jsonl))"],
["source of the shared base","none"],
["split","leave-one-out per domain, full ranking without items of the history (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","yes"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","toys 19412"],
["seeds","0, 1, 2, 3, 4"]
],
"reference":"fine-tune",
"compared":[
{"metric":"NDCG@10","id":"0582da","label":"sasrec fine-tune","mean":0.0562867},
{"metric":"NDCG@10","id":"91ff5b","label":"unisrec-ids fine-tune","mean":0.0623828}
],
"across":null,
"groups":{
"history-1":"history-1: 4 events before the target (6,579 targets)",
"history-2":"history-2: 5 events before the target (3,822 targets)",
"history-3":"history-3: 6 events before the target (2,272 targets)",
"history-4":"history-4: 7 to 9 events before the target (3,349 targets)",
"history-5":"history-5: 10 to 549 events before the target (3,390 targets)",
"popularity-1":"popularity-1: 1 to 4 training events of the target (4,714 targets)",
"popularity-2":"popularity-2: 5 to 7 training events of the target (3,131 targets)",
"popularity-3":"popularity-3: 8 to 13 training events of the target (3,645 targets)",
"popularity-4":"popularity-4: 14 to 28 training events of the target (3,844 targets)",
"popularity-5":"popularity-5: 29 to 215 training events of the target (3,799 targets)",
"transition-new":"transition-new: the last item was never followed by the target there (17,847 targets)",
"transition-seen":"transition-seen: the last item was followed by the target in training (1,565 targets)"
},
"cards":[
{"title":"Order: NDCG@10 on shuffled histories","answer":"","headers":["backbone","method","true order","shuffled","loss","95 %","seeds"],"rows":[["\u2013","popularity","0.0049","0.0049","0.0 %","[0.0, 0.0]","\u2013"],["\u2013","last-item","0.0477","0.0182","62.0 %","[58.9, 65.3]","\u2013"],["\u2013","item-knn","0.0498","0.0388","22.0 %","[19.5, 24.5]","\u2013"],["sasrec","fine-tune","0.0563","0.0292","48.1 %","[45.3, 51.0]","5"],["unisrec-ids","fine-tune","0.0624","0.0310","50.3 %","[47.6, 52.9]","5"]],"note":"The same trained models rank the same targets with the events of each history in random order (protocol loo-masked-shuffled, seed 2026): each model reads the items that it reads in true order. The loss is what of the metric's mean goes with the order; where it is small, a model reads a set and no sequence."},
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0049","0.0049","0.0049","98.3 %","0.1 %"],["\u2013","last-item","0.0483","0.0477","0.0475","91.8 %","0.8 %"],["\u2013","item-knn","0.0506","0.0498","0.0495","80.6 %","0.7 %"],["sasrec","fine-tune","0.0563","0.0563","0.0563","0.0 %","0.0 %"],["unisrec-ids","fine-tune","0.0624","0.0624","0.0624","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","935,441","5,228,094","47.8 (37.8)","sampled-ce","2.938","NDCG@10@loo-masked","none","16 x validation labels of beauty"],["unisrec-ids","fine-tune","2","277,987","1,553,564","14.2 (4.2)","\u2013","6.140","NDCG@10@loo-masked","none","9 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained. Contamination, text encoder minilm: trained on 1.17 billion sentence pairs of some 30 sources (Reddit, S2ORC, WikiAnswers, PAQ, Stack Exchange, MS MARCO, GOOAQ, Yahoo Answers and others) (model card of sentence-transformers/all-MiniLM-L6-v2, training data, 1,170,060,424 pairs); overlap: none listed: no reviews, questions or product texts of Amazon stand in its card's table of training data."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 716a5b5bc3be","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.00493525,null,[0.00493525]],"mean":[0.00493525,null,[0.00493525]]},"Recall@10":{"toys":[0.00901504,null,[0.00901504]],"mean":[0.00901504,null,[0.00901504]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.0513515,"relative":-0.91232,"methods":[-0.0549506,-0.0477523],"p":1.67852e-10,"models":[-0.0549022,-0.0478007],"alone":[-0.0540251,-0.0486778],"bootstrap":[-0.0540699,-0.048528],"dz":-0.267398,"wins":[153,16837,2422]},"cost":{"train":0.047,"merge":0,"other":1.851,"peak":384},"groups":{"history-1":0.00560607,"history-2":0.00600462,"history-3":0.00459112,"history-4":0.00426559,"history-5":0.00331992,"popularity-1":0,"popularity-2":0,"popularity-3":0,"popularity-4":0,"popularity-5":0.0252179,"transition-new":0.00430749,"transition-seen":0.0120941},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 9733159c74e5","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.0477417,null,[0.0477417]],"mean":[0.0477417,null,[0.0477417]]},"Recall@10":{"toys":[0.0704204,null,[0.0704204]],"mean":[0.0704204,null,[0.0704204]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00854497,"relative":-0.151811,"methods":[-0.0107238,-0.00636616],"p":1.20121e-07,"models":[-0.010492,-0.0065979],"alone":[-0.0102027,-0.00688719],"bootstrap":[-0.0102687,-0.00679571],"dz":-0.070607,"wins":[809,17017,1586]},"cost":{"train":0.068,"merge":0,"other":2.162,"peak":386},"groups":{"history-1":0.0514645,"history-2":0.0506511,"history-3":0.0506182,"history-4":0.0382242,"history-5":0.0447115,"popularity-1":0.0249168,"popularity-2":0.040274,"popularity-3":0.0464257,"popularity-4":0.0524796,"popularity-5":0.0821936,"transition-new":0.000750102,"transition-seen":0.583626},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 7ca6e0e4505b","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.0498007,null,[0.0498007]],"mean":[0.0498007,null,[0.0498007]]},"Recall@10":{"toys":[0.0810839,null,[0.0810839]],"mean":[0.0810839,null,[0.0810839]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00648595,"relative":-0.115231,"methods":[-0.00904031,-0.00393159],"p":2.35788e-07,"models":[-0.00861284,-0.00435906],"alone":[-0.00857716,-0.00439474],"bootstrap":[-0.00868586,-0.00438444],"dz":-0.0429011,"wins":[935,16724,1753]},"cost":{"train":0.551,"merge":0,"other":2.799,"peak":415},"groups":{"history-1":0.0554713,"history-2":0.0572636,"history-3":0.0501924,"history-4":0.0385668,"history-5":0.0412174,"popularity-1":0.0369231,"popularity-2":0.0473538,"popularity-3":0.0524192,"popularity-4":0.0582592,"popularity-5":0.060383,"transition-new":0.0215674,"transition-seen":0.371769},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration f1c55e49c6ff","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"toys":[0.0562867,[0.0561791,0.0563943],[0.0563084,0.0563411,0.056358,0.056286,0.05614]],"mean":[0.0562867,[0.0561791,0.0563943],[0.0563084,0.0563411,0.056358,0.056286,0.05614]]},"Recall@10":{"toys":[0.0928807,[0.0919085,0.0938529],[0.0917989,0.0925201,0.0937564,0.0934989,0.0928292]],"mean":[0.0928807,[0.0919085,0.0938529],[0.0917989,0.0925201,0.0937564,0.0934989,0.0928292]]}},"shares":{"NDCG@10":{"toys":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"toys":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":182.679,"merge":0,"other":2.387,"peak":486},"groups":{"history-1":0.0604162,"history-2":0.0614633,"history-3":0.0569932,"history-4":0.0473044,"history-5":0.0508363,"popularity-1":0.0302944,"popularity-2":0.0482621,"popularity-3":0.0564249,"popularity-4":0.0650443,"popularity-5":0.0902927,"transition-new":0.0165529,"transition-seen":0.509404},"gaps":[]},
{"id":"52d173","backbone":"esasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 65cd7e01d85d","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]},
{"id":"91ff5b","backbone":"unisrec-ids","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 64c8e512a85b","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"toys":[0.0623828,[0.0613729,0.0633927],[0.061603,0.0623346,0.0633912,0.0615845,0.0630006]],"mean":[0.0623828,[0.0613729,0.0633927],[0.061603,0.0623346,0.0633912,0.0615845,0.0630006]]},"Recall@10":{"toys":[0.106522,[0.104359,0.108685],[0.104781,0.107305,0.106377,0.10509,0.109056]],"mean":[0.106522,[0.104359,0.108685],[0.104781,0.107305,0.106377,0.10509,0.109056]]}},"shares":{"NDCG@10":{"toys":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"toys":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":335.349,"merge":0,"other":958.569,"peak":1871},"groups":{"history-1":0.0658328,"history-2":0.0679908,"history-3":0.0640403,"history-4":0.0515513,"history-5":0.0589543,"popularity-1":0.0468983,"popularity-2":0.0541312,"popularity-3":0.0641741,"popularity-4":0.0704699,"popularity-5":0.0816233,"transition-new":0.0281839,"transition-seen":0.452381},"gaps":[]}
]
},
{
"track":"toys",
"protocol":"loo",
"domains":[
"toys"
],
"card":[
["naive gate","Naive gate not passed on sasrec: nothing is said here of which method is better. The trained models, fine-tune (0.0385), do not beat last-item (0.0472) and item-knn (0.0394), which only count, by NDCG@10, means over domains and seeds; they beat popularity (0.0049). Verdicts on merging such models would say nothing of good ones."],
["naive gate","Naive gate not decided on esasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped)."],
["naive gate","Naive gate not passed on unisrec-ids: nothing is said here of which method is better. The trained models, fine-tune (0.0433), do not beat last-item (0.0472), which only counts, by NDCG@10, means over domains and seeds; they beat popularity (0.0049) and item-knn (0.0394). Verdicts on merging such models would say nothing of good ones."],
["dataset","amazon-mergerec"],
["domains","toys"],
["rows tuned on","none (6 rows)"],
["models tuned on","sasrec: 16 x validation labels of beauty (width, dropout, weight decay, depth, averaging of weights, shared negatives (10: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration)); esasrec: 4 x validation labels of beauty (width, heads, dropout, learning rate (3: quality/records/sequential-trials.jsonl), two epochs of another (claims/records/merging-trials.jsonl); what is common to all was chosen with sasrec); unisrec-ids: 9 x validation labels of beauty (width, learning rate, dropout, weight decay (4: quality/records/sequential-trials.jsonl); before them learning rate, temperature, dropout (5, claims/records/merging-trials.jsonl))"],
["source of the shared base","none"],
["split","leave-one-out per domain, full ranking (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","toys 19412"],
["seeds","0, 1, 2, 3, 4"]
],
"reference":"fine-tune",
"compared":[],
"across":null,
"groups":{
"history-1":"history-1: 4 events before the target (6,579 targets)",
"history-2":"history-2: 5 events before the target (3,822 targets)",
"history-3":"history-3: 6 events before the target (2,272 targets)",
"history-4":"history-4: 7 to 9 events before the target (3,349 targets)",
"history-5":"history-5: 10 to 549 events before the target (3,390 targets)",
"popularity-1":"popularity-1: 1 to 4 training events of the target (4,714 targets)",
"popularity-2":"popularity-2: 5 to 7 training events of the target (3,131 targets)",
"popularity-3":"popularity-3: 8 to 13 training events of the target (3,645 targets)",
"popularity-4":"popularity-4: 14 to 28 training events of the target (3,844 targets)",
"popularity-5":"popularity-5: 29 to 215 training events of the target (3,799 targets)",
"transition-new":"transition-new: the last item was never followed by the target there (17,847 targets)",
"transition-seen":"transition-seen: the last item was followed by the target in training (1,565 targets)"
},
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0049","0.0049","0.0049","98.4 %","0.1 %"],["\u2013","last-item","0.0477","0.0472","0.0470","91.8 %","0.7 %"],["\u2013","item-knn","0.0398","0.0394","0.0391","80.7 %","0.5 %"],["sasrec","fine-tune","0.0385","0.0385","0.0385","0.0 %","0.0 %"],["unisrec-ids","fine-tune","0.0433","0.0433","0.0433","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","935,441","5,228,094","47.8 (37.8)","sampled-ce","2.938","NDCG@10@loo-masked","none","16 x validation labels of beauty"],["unisrec-ids","fine-tune","2","277,987","1,553,564","14.2 (4.2)","\u2013","6.140","NDCG@10@loo-masked","none","9 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained. Contamination, text encoder minilm: trained on 1.17 billion sentence pairs of some 30 sources (Reddit, S2ORC, WikiAnswers, PAQ, Stack Exchange, MS MARCO, GOOAQ, Yahoo Answers and others) (model card of sentence-transformers/all-MiniLM-L6-v2, training data, 1,170,060,424 pairs); overlap: none listed: no reviews, questions or product texts of Amazon stand in its card's table of training data."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 660de6fa02ac","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.00488424,null,[0.00488424]],"mean":[0.00488424,null,[0.00488424]]},"Recall@10":{"toys":[0.00891201,null,[0.00891201]],"mean":[0.00891201,null,[0.00891201]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.047,"merge":0,"other":1.851,"peak":384},"groups":{"history-1":0.00555547,"history-2":0.00591743,"history-3":0.00454899,"history-4":0.00420807,"history-5":0.00330938,"popularity-1":0,"popularity-2":0,"popularity-3":0,"popularity-4":0,"popularity-5":0.0249573,"transition-new":0.00425794,"transition-seen":0.0120264},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration ae7ddba11635","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.0472272,null,[0.0472272]],"mean":[0.0472272,null,[0.0472272]]},"Recall@10":{"toys":[0.0703173,null,[0.0703173]],"mean":[0.0703173,null,[0.0703173]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.068,"merge":0,"other":2.162,"peak":386},"groups":{"history-1":0.0509873,"history-2":0.0503202,"history-3":0.0502492,"history-4":0.0374836,"history-5":0.044043,"popularity-1":0.0244992,"popularity-2":0.0395485,"popularity-3":0.0457403,"popularity-4":0.0520434,"popularity-5":0.0817794,"transition-new":0.000747576,"transition-seen":0.577273},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 908e34f88ddd","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.0393902,null,[0.0393902]],"mean":[0.0393902,null,[0.0393902]]},"Recall@10":{"toys":[0.0702143,null,[0.0702143]],"mean":[0.0702143,null,[0.0702143]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.551,"merge":0,"other":2.799,"peak":415},"groups":{"history-1":0.0497316,"history-2":0.0481152,"history-3":0.0387031,"history-4":0.0260919,"history-5":0.0230817,"popularity-1":0.0251398,"popularity-2":0.035887,"popularity-3":0.042851,"popularity-4":0.0464034,"popularity-5":0.0524361,"transition-new":0.0161835,"transition-seen":0.304036},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration b5f9db90628c","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"toys":[0.0385156,[0.0382744,0.0387568],[0.0381959,0.0386733,0.0385984,0.0384718,0.0386385]],"mean":[0.0385156,[0.0382744,0.0387568],[0.0381959,0.0386733,0.0385984,0.0384718,0.0386385]]},"Recall@10":{"toys":[0.0845662,[0.0835604,0.0855721],[0.0833505,0.0846384,0.0854111,0.0851535,0.0842778]],"mean":[0.0845662,[0.0835604,0.0855721],[0.0833505,0.0846384,0.0854111,0.0851535,0.0842778]]}},"shares":{"NDCG@10":{"toys":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"toys":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":182.679,"merge":0,"other":2.387,"peak":486},"groups":{"history-1":0.041253,"history-2":0.0423703,"history-3":0.0382738,"history-4":0.0317529,"history-5":0.0357002,"popularity-1":0.0201148,"popularity-2":0.0331753,"popularity-3":0.0385474,"popularity-4":0.0435042,"popularity-5":0.0634999,"transition-new":0.011418,"transition-seen":0.347532},"gaps":[]},
{"id":"52d173","backbone":"esasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 54d9d7f42b55","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]},
{"id":"91ff5b","backbone":"unisrec-ids","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 11c1c6a71e42","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"toys":[0.0432787,[0.0426613,0.0438961],[0.0428673,0.0433225,0.0438515,0.042692,0.0436602]],"mean":[0.0432787,[0.0426613,0.0438961],[0.0428673,0.0433225,0.0438515,0.042692,0.0436602]]},"Recall@10":{"toys":[0.0963631,[0.0953451,0.0973811],[0.0957655,0.0965897,0.0965382,0.0954049,0.097517]],"mean":[0.0963631,[0.0953451,0.0973811],[0.0957655,0.0965897,0.0965382,0.0954049,0.097517]]}},"shares":{"NDCG@10":{"toys":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"toys":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":335.349,"merge":0,"other":958.569,"peak":1871},"groups":{"history-1":0.0464236,"history-2":0.0470706,"history-3":0.0439007,"history-4":0.0350113,"history-5":0.0406507,"popularity-1":0.0318596,"popularity-2":0.0370517,"popularity-3":0.0442839,"popularity-4":0.0488556,"popularity-5":0.0581639,"transition-new":0.0198186,"transition-seen":0.310813},"gaps":[]}
]
},
{
"track":"sports",
"protocol":"loo-masked",
"domains":[
"sports"
],
"card":[
["naive gate","Naive gate passed on sasrec: the trained models, fine-tune (0.0291), beat popularity (0.0052), last-item (0.0234) and item-knn (0.0252) by NDCG@10, means over domains and seeds."],
["naive gate","Naive gate not decided on esasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped)."],
["naive gate","Naive gate passed on unisrec-ids: the trained models, fine-tune (0.0300), beat popularity (0.0052), last-item (0.0234) and item-knn (0.0252) by NDCG@10, means over domains and seeds."],
["dataset","amazon-mergerec"],
["domains","sports"],
["rows tuned on","none (6 rows)"],
["models tuned on","sasrec: 16 x validation labels of beauty (width, dropout, weight decay, depth, averaging of weights, shared negatives (10: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration)); esasrec: 4 x validation labels of beauty (width, heads, dropout, learning rate (3: quality/records/sequential-trials.jsonl), two epochs of another (claims/records/merging-trials.jsonl); what is common to all was chosen with sasrec); unisrec-ids: 9 x validation labels of beauty (width, learning rate, dropout, weight decay (4: quality/records/sequential-trials.jsonl); before them learning rate, temperature, dropout (5, claims/records/merging-trials.jsonl))"],
["source of the shared base","none"],
["split","leave-one-out per domain, full ranking without items of the history (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","yes"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","sports 35598"],
["seeds","0, 1, 2, 3, 4"]
],
"reference":"fine-tune",
"compared":[
{"metric":"NDCG@10","id":"0582da","label":"sasrec fine-tune","mean":0.0290965},
{"metric":"NDCG@10","id":"91ff5b","label":"unisrec-ids fine-tune","mean":0.0300098}
],
"across":null,
"groups":{
"history-1":"history-1: 4 events before the target (11,416 targets)",
"history-2":"history-2: 5 events before the target (6,885 targets)",
"history-3":"history-3: 6 events before the target (4,338 targets)",
"history-4":"history-4: 7 to 9 events before the target (6,620 targets)",
"history-5":"history-5: 10 to 295 events before the target (6,339 targets)",
"popularity-1":"popularity-1: 1 to 4 training events of the target (7,609 targets)",
"popularity-2":"popularity-2: 5 to 8 training events of the target (6,702 targets)",
"popularity-3":"popularity-3: 9 to 17 training events of the target (7,074 targets)",
"popularity-4":"popularity-4: 18 to 41 training events of the target (6,880 targets)",
"popularity-5":"popularity-5: 42 to 880 training events of the target (7,016 targets)",
"transition-new":"transition-new: the last item was never followed by the target there (33,771 targets)",
"transition-seen":"transition-seen: the last item was followed by the target in training (1,827 targets)"
},
"cards":[
{"title":"Order: NDCG@10 on shuffled histories","answer":"","headers":["backbone","method","true order","shuffled","loss","95 %","seeds"],"rows":[["\u2013","popularity","0.0052","0.0052","0.0 %","[0.0, 0.0]","\u2013"],["\u2013","last-item","0.0234","0.0104","55.7 %","[51.9, 59.3]","\u2013"],["\u2013","item-knn","0.0252","0.0196","22.3 %","[19.1, 25.5]","\u2013"],["sasrec","fine-tune","0.0291","0.0178","38.8 %","[35.0, 42.2]","5"],["unisrec-ids","fine-tune","0.0300","0.0169","43.7 %","[40.1, 47.2]","5"]],"note":"The same trained models rank the same targets with the events of each history in random order (protocol loo-masked-shuffled, seed 2026): each model reads the items that it reads in true order. The loss is what of the metric's mean goes with the order; where it is small, a model reads a set and no sequence."},
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0052","0.0052","0.0052","96.8 %","0.0 %"],["\u2013","last-item","0.0236","0.0234","0.0233","93.2 %","0.2 %"],["\u2013","item-knn","0.0254","0.0252","0.0250","86.0 %","0.2 %"],["sasrec","fine-tune","0.0291","0.0291","0.0291","0.0 %","0.0 %"],["unisrec-ids","fine-tune","0.0300","0.0300","0.0300","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","1,628,122","8,643,950","45.6 (35.6)","sampled-ce","3.548","NDCG@10@loo-masked","none","16 x validation labels of beauty"],["unisrec-ids","fine-tune","2","499,941","2,654,391","14.0 (4.0)","\u2013","6.167","NDCG@10@loo-masked","none","9 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained. Contamination, text encoder minilm: trained on 1.17 billion sentence pairs of some 30 sources (Reddit, S2ORC, WikiAnswers, PAQ, Stack Exchange, MS MARCO, GOOAQ, Yahoo Answers and others) (model card of sentence-transformers/all-MiniLM-L6-v2, training data, 1,170,060,424 pairs); overlap: none listed: no reviews, questions or product texts of Amazon stand in its card's table of training data."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration e81e951d5b64","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.00522657,null,[0.00522657]],"mean":[0.00522657,null,[0.00522657]]},"Recall@10":{"sports":[0.00912973,null,[0.00912973]],"mean":[0.00912973,null,[0.00912973]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.0238699,"relative":-0.820371,"methods":[-0.0257459,-0.0219939],"p":4.24461e-08,"models":[-0.025762,-0.0219778],"alone":[-0.0252626,-0.0224772],"bootstrap":[-0.0252605,-0.0224173],"dz":-0.176416,"wins":[277,32551,2770]},"cost":{"train":0.062,"merge":0,"other":2.383,"peak":388},"groups":{"history-1":0.00505481,"history-2":0.00699141,"history-3":0.00460787,"history-4":0.00406786,"history-5":0.00525251,"popularity-1":0,"popularity-2":0,"popularity-3":0,"popularity-4":0,"popularity-5":0.0265187,"transition-new":0.00419766,"transition-seen":0.0242454},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration c0c74cd158fc","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.0234223,null,[0.0234223]],"mean":[0.0234223,null,[0.0234223]]},"Recall@10":{"sports":[0.0368841,null,[0.0368841]],"mean":[0.0368841,null,[0.0368841]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00567412,"relative":-0.195011,"methods":[-0.00703481,-0.00431344],"p":6.86883e-06,"models":[-0.00705432,-0.00429392],"alone":[-0.00674066,-0.00460759],"bootstrap":[-0.00682031,-0.00455077],"dz":-0.0544261,"wins":[916,32562,2120]},"cost":{"train":0.099,"merge":0,"other":2.215,"peak":391},"groups":{"history-1":0.0247225,"history-2":0.022908,"history-3":0.0250524,"history-4":0.0226738,"history-5":0.0213059,"popularity-1":0.00732823,"popularity-2":0.0103411,"popularity-3":0.0174207,"popularity-4":0.024175,"popularity-5":0.0597439,"transition-new":0.000957071,"transition-seen":0.438679},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 6c30d38064e2","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.0252161,null,[0.0252161]],"mean":[0.0252161,null,[0.0252161]]},"Recall@10":{"sports":[0.0401146,null,[0.0401146]],"mean":[0.0401146,null,[0.0401146]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00388038,"relative":-0.133363,"methods":[-0.00541388,-0.00234689],"p":1.63147e-05,"models":[-0.00523442,-0.00252634],"alone":[-0.00522103,-0.00253974],"bootstrap":[-0.00527331,-0.00246292],"dz":-0.029771,"wins":[1023,32256,2319]},"cost":{"train":0.626,"merge":0,"other":4.185,"peak":414},"groups":{"history-1":0.0280467,"history-2":0.0239294,"history-3":0.0244055,"history-4":0.0245386,"history-5":0.0227781,"popularity-1":0.0164941,"popularity-2":0.0196738,"popularity-3":0.0254594,"popularity-4":0.0280455,"popularity-5":0.0380889,"transition-new":0.0121094,"transition-seen":0.267485},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 174d57ebb808","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"sports":[0.0290965,[0.0288291,0.0293639],[0.0287925,0.0293693,0.0291679,0.0289964,0.0291562]],"mean":[0.0290965,[0.0288291,0.0293639],[0.0287925,0.0293693,0.0291679,0.0289964,0.0291562]]},"Recall@10":{"sports":[0.0498848,[0.0492755,0.0504942],[0.0491039,0.050368,0.0498343,0.0498904,0.0502275]],"mean":[0.0498848,[0.0492755,0.0504942],[0.0491039,0.050368,0.0498343,0.0498904,0.0502275]]}},"shares":{"NDCG@10":{"sports":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"sports":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":328.452,"merge":0,"other":3.5222,"peak":508},"groups":{"history-1":0.0319802,"history-2":0.028921,"history-3":0.0303559,"history-4":0.0249693,"history-5":0.0275419,"popularity-1":0.00253836,"popularity-2":0.00845139,"popularity-3":0.0179139,"popularity-4":0.031619,"popularity-5":0.0877364,"transition-new":0.0124865,"transition-seen":0.336122},"gaps":[]},
{"id":"52d173","backbone":"esasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 2a06d3e2f223","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]},
{"id":"91ff5b","backbone":"unisrec-ids","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration a949443fd5fb","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"sports":[0.0300098,[0.0295853,0.0304343],[0.0303487,0.0301075,0.0298399,0.0295032,0.0302499]],"mean":[0.0300098,[0.0295853,0.0304343],[0.0303487,0.0301075,0.0298399,0.0295032,0.0302499]]},"Recall@10":{"sports":[0.0528625,[0.0522719,0.0534531],[0.0531771,0.05284,0.0522501,0.0525872,0.0534581]],"mean":[0.0528625,[0.0522719,0.0534531],[0.0531771,0.05284,0.0522501,0.0525872,0.0534581]]}},"shares":{"NDCG@10":{"sports":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"sports":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":377.229,"merge":0,"other":201.793,"peak":2105},"groups":{"history-1":0.0301569,"history-2":0.0321479,"history-3":0.0328148,"history-4":0.0276971,"history-5":0.0279183,"popularity-1":0.0102951,"popularity-2":0.0148452,"popularity-3":0.0274237,"popularity-4":0.0361675,"popularity-5":0.0635527,"transition-new":0.0157905,"transition-seen":0.292845},"gaps":[]}
]
},
{
"track":"sports",
"protocol":"loo",
"domains":[
"sports"
],
"card":[
["naive gate","Naive gate not passed on sasrec: nothing is said here of which method is better. The trained models, fine-tune (0.0218), do not beat last-item (0.0231), which only counts, by NDCG@10, means over domains and seeds; they beat popularity (0.0051) and item-knn (0.0203). Verdicts on merging such models would say nothing of good ones."],
["naive gate","Naive gate not decided on esasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped)."],
["naive gate","Naive gate not passed on unisrec-ids: nothing is said here of which method is better. The trained models, fine-tune (0.0219), do not beat last-item (0.0231), which only counts, by NDCG@10, means over domains and seeds; they beat popularity (0.0051) and item-knn (0.0203). Verdicts on merging such models would say nothing of good ones."],
["dataset","amazon-mergerec"],
["domains","sports"],
["rows tuned on","none (6 rows)"],
["models tuned on","sasrec: 16 x validation labels of beauty (width, dropout, weight decay, depth, averaging of weights, shared negatives (10: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration)); esasrec: 4 x validation labels of beauty (width, heads, dropout, learning rate (3: quality/records/sequential-trials.jsonl), two epochs of another (claims/records/merging-trials.jsonl); what is common to all was chosen with sasrec); unisrec-ids: 9 x validation labels of beauty (width, learning rate, dropout, weight decay (4: quality/records/sequential-trials.jsonl); before them learning rate, temperature, dropout (5, claims/records/merging-trials.jsonl))"],
["source of the shared base","none"],
["split","leave-one-out per domain, full ranking (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","sports 35598"],
["seeds","0, 1, 2, 3, 4"]
],
"reference":"fine-tune",
"compared":[],
"across":null,
"groups":{
"history-1":"history-1: 4 events before the target (11,416 targets)",
"history-2":"history-2: 5 events before the target (6,885 targets)",
"history-3":"history-3: 6 events before the target (4,338 targets)",
"history-4":"history-4: 7 to 9 events before the target (6,620 targets)",
"history-5":"history-5: 10 to 295 events before the target (6,339 targets)",
"popularity-1":"popularity-1: 1 to 4 training events of the target (7,609 targets)",
"popularity-2":"popularity-2: 5 to 8 training events of the target (6,702 targets)",
"popularity-3":"popularity-3: 9 to 17 training events of the target (7,074 targets)",
"popularity-4":"popularity-4: 18 to 41 training events of the target (6,880 targets)",
"popularity-5":"popularity-5: 42 to 880 training events of the target (7,016 targets)",
"transition-new":"transition-new: the last item was never followed by the target there (33,771 targets)",
"transition-seen":"transition-seen: the last item was followed by the target in training (1,827 targets)"
},
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0051","0.0051","0.0051","96.8 %","0.0 %"],["\u2013","last-item","0.0233","0.0231","0.0230","93.2 %","0.2 %"],["\u2013","item-knn","0.0204","0.0203","0.0202","86.0 %","0.2 %"],["sasrec","fine-tune","0.0218","0.0218","0.0218","0.0 %","0.0 %"],["unisrec-ids","fine-tune","0.0219","0.0219","0.0219","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","1,628,122","8,643,950","45.6 (35.6)","sampled-ce","3.548","NDCG@10@loo-masked","none","16 x validation labels of beauty"],["unisrec-ids","fine-tune","2","499,941","2,654,391","14.0 (4.0)","\u2013","6.167","NDCG@10@loo-masked","none","9 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained. Contamination, text encoder minilm: trained on 1.17 billion sentence pairs of some 30 sources (Reddit, S2ORC, WikiAnswers, PAQ, Stack Exchange, MS MARCO, GOOAQ, Yahoo Answers and others) (model card of sentence-transformers/all-MiniLM-L6-v2, training data, 1,170,060,424 pairs); overlap: none listed: no reviews, questions or product texts of Amazon stand in its card's table of training data."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 7c27aa6607d0","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.00510126,null,[0.00510126]],"mean":[0.00510126,null,[0.00510126]]},"Recall@10":{"sports":[0.00896118,null,[0.00896118]],"mean":[0.00896118,null,[0.00896118]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.062,"merge":0,"other":2.383,"peak":388},"groups":{"history-1":0.00498677,"history-2":0.00686982,"history-3":0.00441852,"history-4":0.00392592,"history-5":0.00508122,"popularity-1":0,"popularity-2":0,"popularity-3":0,"popularity-4":0,"popularity-5":0.0258829,"transition-new":0.00413659,"transition-seen":0.0229326},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration f682f138e609","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.023141,null,[0.023141]],"mean":[0.023141,null,[0.023141]]},"Recall@10":{"sports":[0.0365751,null,[0.0365751]],"mean":[0.0365751,null,[0.0365751]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.099,"merge":0,"other":2.215,"peak":391},"groups":{"history-1":0.0245118,"history-2":0.0225323,"history-3":0.0247472,"history-4":0.0224583,"history-5":0.0209474,"popularity-1":0.00732349,"popularity-2":0.0102287,"popularity-3":0.0172032,"popularity-4":0.0239088,"popularity-5":0.0589096,"transition-new":0.000917817,"transition-seen":0.433924},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 755b8be4b9d7","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.0202663,null,[0.0202663]],"mean":[0.0202663,null,[0.0202663]]},"Recall@10":{"sports":[0.0337659,null,[0.0337659]],"mean":[0.0337659,null,[0.0337659]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.626,"merge":0,"other":4.185,"peak":414},"groups":{"history-1":0.0263378,"history-2":0.0216126,"history-3":0.0199585,"history-4":0.0171195,"history-5":0.0113669,"popularity-1":0.0108532,"popularity-2":0.0157305,"popularity-3":0.0201845,"popularity-4":0.0233277,"popularity-5":0.0328038,"transition-new":0.0091375,"transition-seen":0.225976},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 5a69b0507b3a","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"sports":[0.0218095,[0.0216529,0.0219661],[0.0216616,0.0218548,0.0217417,0.0219961,0.0217933]],"mean":[0.0218095,[0.0216529,0.0219661],[0.0216616,0.0218548,0.0217417,0.0219961,0.0217933]]},"Recall@10":{"sports":[0.045952,[0.04559,0.046314],[0.0455363,0.0462386,0.0459576,0.0458172,0.0462105]],"mean":[0.045952,[0.04559,0.046314],[0.0455363,0.0462386,0.0459576,0.0458172,0.0462105]]}},"shares":{"NDCG@10":{"sports":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"sports":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":328.452,"merge":0,"other":3.5222,"peak":508},"groups":{"history-1":0.0239246,"history-2":0.0217195,"history-3":0.0225323,"history-4":0.0189954,"history-5":0.0205422,"popularity-1":0.00164198,"popularity-2":0.00637848,"popularity-3":0.0133041,"popularity-4":0.0235494,"popularity-5":0.0662769,"transition-new":0.00964395,"transition-seen":0.246682},"gaps":[]},
{"id":"52d173","backbone":"esasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 72a2f5660eaf","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]},
{"id":"91ff5b","backbone":"unisrec-ids","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration dc8a085f3973","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"sports":[0.0218914,[0.0216008,0.022182],[0.0220058,0.0220708,0.0217435,0.0215526,0.0220841]],"mean":[0.0218914,[0.0216008,0.022182],[0.0220058,0.0220708,0.0217435,0.0215526,0.0220841]]},"Recall@10":{"sports":[0.049132,[0.0486901,0.0495739],[0.0492162,0.0493848,0.0486825,0.0488511,0.0495253]],"mean":[0.049132,[0.0486901,0.0495739],[0.0492162,0.0493848,0.0486825,0.0488511,0.0495253]]}},"shares":{"NDCG@10":{"sports":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"sports":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":377.229,"merge":0,"other":201.793,"peak":2105},"groups":{"history-1":0.0222028,"history-2":0.0233116,"history-3":0.0236463,"history-4":0.0203683,"history-5":0.0201775,"popularity-1":0.00731538,"popularity-2":0.0105317,"popularity-3":0.0199423,"popularity-4":0.0266624,"popularity-5":0.0466441,"transition-new":0.0117794,"transition-seen":0.208804},"gaps":[]}
]
},
{
"track":"ml-100k",
"protocol":"loo-masked",
"domains":[
"movies"
],
"card":[
["naive gate","Naive gate not decided on sasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped), popularity has no results (not run: the run did not include it or was stopped), last-item has no results (not run: the run did not include it or was stopped), item-knn has no results (not run: the run did not include it or was stopped)."],
["naive gate","Naive gate not decided on esasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped), popularity has no results (not run: the run did not include it or was stopped), last-item has no results (not run: the run did not include it or was stopped), item-knn has no results (not run: the run did not include it or was stopped)."],
["dataset","ml-100k-whole"],
["domains","movies"],
["rows tuned on","none (5 rows)"],
["models tuned on","sasrec: 16 x validation labels of beauty (width, dropout, weight decay, depth, averaging of weights, shared negatives (10: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration)); esasrec: 4 x validation labels of beauty (width, heads, dropout, learning rate (3: quality/records/sequential-trials.jsonl), two epochs of another (claims/records/merging-trials.jsonl); what is common to all was chosen with sasrec)"],
["source of the shared base","none"],
["split","leave-one-out per domain, full ranking without items of the history (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","not run"],
["seeds","0, 1, 2, 3, 4"]
],
"reference":null,
"compared":[],
"across":null,
"groups":{},
"cards":[],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration d3a9063b97bc","seeds":[],"wanted":0,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[]}]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 6f89ea716bfa","seeds":[],"wanted":0,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[]}]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 868262d66bfc","seeds":[],"wanted":0,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[]}]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration a4dcc14ea18b","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]},
{"id":"52d173","backbone":"esasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration 1ac5530911d8","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]}
]
},
{
"track":"ml-100k",
"protocol":"loo",
"domains":[
"movies"
],
"card":[
["naive gate","Naive gate not decided on sasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped), popularity has no results (not run: the run did not include it or was stopped), last-item has no results (not run: the run did not include it or was stopped), item-knn has no results (not run: the run did not include it or was stopped)."],
["naive gate","Naive gate not decided on esasrec: nothing is said here of which method is better. Fine-tune has no results (not run: the run did not include it or was stopped), popularity has no results (not run: the run did not include it or was stopped), last-item has no results (not run: the run did not include it or was stopped), item-knn has no results (not run: the run did not include it or was stopped)."],
["dataset","ml-100k-whole"],
["domains","movies"],
["rows tuned on","none (5 rows)"],
["models tuned on","sasrec: 16 x validation labels of beauty (width, dropout, weight decay, depth, averaging of weights, shared negatives (10: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration)); esasrec: 4 x validation labels of beauty (width, heads, dropout, learning rate (3: quality/records/sequential-trials.jsonl), two epochs of another (claims/records/merging-trials.jsonl); what is common to all was chosen with sasrec)"],
["source of the shared base","none"],
["split","leave-one-out per domain, full ranking (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","not run"],
["seeds","0, 1, 2, 3, 4"]
],
"reference":null,
"compared":[],
"across":null,
"groups":{},
"cards":[],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration 5c386b09bd3b","seeds":[],"wanted":0,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[]}]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","band":"heuristics","made":"no options; tuned: none; configuration dfa27a8b12b2","seeds":[],"wanted":0,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[]}]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","band":"heuristics","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration f2f10177ecd5","seeds":[],"wanted":0,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[]}]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration b01ca26742e4","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]},
{"id":"52d173","backbone":"esasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","band":"methods","made":"no options; tuned: none; configuration f61712fc3c7c","seeds":[],"wanted":5,"values":{"NDCG@10":{},"Recall@10":{}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":null,"groups":{},"gaps":[{"status":"not run","reason":"the run did not include it or was stopped","mend":"run the suite again","seeds":[0,1,2,3,4]}]}
]
}
],
"figures":[]
});
