RECMERGE.take("sequential",
{
"suite":"sequential",
"title":"One domain each: sequential recommenders beside public numbers",
"label":"converged",
"about":"Trainings end by validation. Means over the seeds.",
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
["naive gate","Naive gate passed on sasrec: the trained models, fine-tune (0.0494), beat popularity (0.0053), last-item (0.0439) and item-knn (0.0398) by NDCG@10, means over domains and seeds."],
["dataset","amazon-mergerec"],
["domains","beauty"],
["rows tuned on","none (4 rows)"],
["models tuned on","sasrec: 14 x validation labels of beauty (width, dropout, weight decay, averaging of weights, shared negatives (8: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration))"],
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
{"metric":"NDCG@10","id":"0582da","label":"sasrec fine-tune","mean":0.0494148}
],
"across":null,
"cards":[
{"title":"Order: NDCG@10 on shuffled histories","answer":"","headers":["backbone","method","true order","shuffled","loss","95 %","seeds"],"rows":[["\u2013","popularity","0.0053","0.0053","0.0 %","[0.0, 0.0]","\u2013"],["\u2013","last-item","0.0439","0.0166","62.3 %","[59.0, 65.3]","\u2013"],["\u2013","item-knn","0.0398","0.0318","20.0 %","[17.2, 22.7]","\u2013"],["sasrec","fine-tune","0.0494","0.0269","45.6 %","[42.0, 48.9]","5"]],"note":"The same trained models rank the same targets with the events of each history in random order (protocol loo-masked-shuffled, seed 2026): each model reads the items that it reads in true order. The loss is what of the metric's mean goes with the order; where it is small, a model reads a set and no sequence."},
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0056","0.0053","0.0053","97.1 %","0.3 %"],["\u2013","last-item","0.0441","0.0439","0.0438","90.3 %","0.4 %"],["\u2013","item-knn","0.0402","0.0398","0.0396","78.2 %","0.4 %"],["sasrec","fine-tune","0.0494","0.0494","0.0494","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","726,409","4,232,169","32.2 (27.2)","sampled-ce","3.035","NDCG@10@loo-masked","none","14 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration 586ada1cae56","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.00528666,null,[0.00528666]],"mean":[0.00528666,null,[0.00528666]]},"Recall@10":{"beauty":[0.0109556,null,[0.0109556]],"mean":[0.0109556,null,[0.0109556]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.0441281,"relative":-0.893015,"methods":[-0.0474232,-0.040833],"p":1.18379e-06,"models":[-0.0469487,-0.0413075],"alone":[-0.0467723,-0.0414838],"bootstrap":[-0.0469626,-0.0413185],"dz":-0.250472,"wins":[197,19514,2652]},"cost":{"train":0.09,"merge":0,"other":2.4,"peak":384},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration 5f76d0662b09","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.043865,null,[0.043865]],"mean":[0.043865,null,[0.043865]]},"Recall@10":{"beauty":[0.0665832,null,[0.0665832]],"mean":[0.0665832,null,[0.0665832]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00554972,"relative":-0.112309,"methods":[-0.00764322,-0.00345623],"p":0.00105408,"models":[-0.00714231,-0.00395714],"alone":[-0.00764322,-0.00345623],"bootstrap":[-0.00784977,-0.00305829],"dz":-0.0456748,"wins":[972,19642,1749]},"cost":{"train":0.16,"merge":0,"other":2.29,"peak":386},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration c66151ac1851","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.0397734,null,[0.0397734]],"mean":[0.0397734,null,[0.0397734]]},"Recall@10":{"beauty":[0.0665832,null,[0.0665832]],"mean":[0.0665832,null,[0.0665832]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00964135,"relative":-0.195111,"methods":[-0.0122923,-0.00699035],"p":0.000280972,"models":[-0.0117488,-0.00753388],"alone":[-0.0119131,-0.00736961],"bootstrap":[-0.0121877,-0.00708523],"dz":-0.0685742,"wins":[894,19432,2037]},"cost":{"train":1.23,"merge":0,"other":3.76,"peak":416},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","made":"no options; tuned: none; configuration 6b8d6c04426b","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"beauty":[0.0494148,[0.0477111,0.0511184],[0.0478556,0.0507568,0.0501197,0.0480128,0.050329]],"mean":[0.0494148,[0.0477111,0.0511184],[0.0478556,0.0507568,0.0501197,0.0480128,0.050329]]},"Recall@10":{"beauty":[0.0835219,[0.0811443,0.0858995],[0.0812503,0.0856325,0.0845146,0.0817422,0.0844699]],"mean":[0.0835219,[0.0811443,0.0858995],[0.0812503,0.0856325,0.0845146,0.0817422,0.0844699]]}},"shares":{"NDCG@10":{"beauty":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"beauty":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":167.3,"merge":0,"other":2.81,"peak":495},"gaps":[]}
]
},
{
"track":"beauty",
"protocol":"loo",
"domains":[
"beauty"
],
"card":[
["naive gate","Naive gate not passed on sasrec: nothing is said here of which method is better. The trained models, fine-tune (0.0335), do not beat last-item (0.0427), which only counts, by NDCG@10, means over domains and seeds; they beat popularity (0.0051) and item-knn (0.0318). Verdicts on merging such models would say nothing of good ones."],
["dataset","amazon-mergerec"],
["domains","beauty"],
["rows tuned on","none (4 rows)"],
["models tuned on","sasrec: 14 x validation labels of beauty (width, dropout, weight decay, averaging of weights, shared negatives (8: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration))"],
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
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0055","0.0051","0.0051","97.1 %","0.3 %"],["\u2013","last-item","0.0429","0.0427","0.0426","90.3 %","0.4 %"],["\u2013","item-knn","0.0320","0.0318","0.0316","78.2 %","0.3 %"],["sasrec","fine-tune","0.0335","0.0335","0.0335","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","726,409","4,232,169","32.2 (27.2)","sampled-ce","3.035","NDCG@10@loo-masked","none","14 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration 502cbdab6ae6","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.00511323,null,[0.00511323]],"mean":[0.00511323,null,[0.00511323]]},"Recall@10":{"beauty":[0.0106426,null,[0.0106426]],"mean":[0.0106426,null,[0.0106426]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.09,"merge":0,"other":2.4,"peak":384},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration 440cdb257305","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.0426521,null,[0.0426521]],"mean":[0.0426521,null,[0.0426521]]},"Recall@10":{"beauty":[0.0656441,null,[0.0656441]],"mean":[0.0656441,null,[0.0656441]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.16,"merge":0,"other":2.29,"peak":386},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 041aa3125b49","seeds":[],"wanted":0,"values":{"NDCG@10":{"beauty":[0.0317687,null,[0.0317687]],"mean":[0.0317687,null,[0.0317687]]},"Recall@10":{"beauty":[0.0573268,null,[0.0573268]],"mean":[0.0573268,null,[0.0573268]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":1.23,"merge":0,"other":3.76,"peak":416},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","made":"no options; tuned: none; configuration 41a9ed3e883d","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"beauty":[0.0335135,[0.0328822,0.0341449],[0.0330949,0.0339167,0.0337283,0.0328524,0.0339752]],"mean":[0.0335135,[0.0328822,0.0341449],[0.0330949,0.0339167,0.0337283,0.0328524,0.0339752]]},"Recall@10":{"beauty":[0.0737379,[0.0712023,0.0762735],[0.0713232,0.075616,0.0749005,0.0717256,0.0751241]],"mean":[0.0737379,[0.0712023,0.0762735],[0.0713232,0.075616,0.0749005,0.0717256,0.0751241]]}},"shares":{"NDCG@10":{"beauty":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"beauty":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":167.3,"merge":0,"other":2.81,"peak":495},"gaps":[]}
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
["dataset","amazon-mergerec"],
["domains","toys"],
["rows tuned on","none (4 rows)"],
["models tuned on","sasrec: 14 x validation labels of beauty (width, dropout, weight decay, averaging of weights, shared negatives (8: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration))"],
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
{"metric":"NDCG@10","id":"0582da","label":"sasrec fine-tune","mean":0.056343}
],
"across":null,
"cards":[
{"title":"Order: NDCG@10 on shuffled histories","answer":"","headers":["backbone","method","true order","shuffled","loss","95 %","seeds"],"rows":[["\u2013","popularity","0.0049","0.0049","0.0 %","[0.0, 0.0]","\u2013"],["\u2013","last-item","0.0477","0.0182","62.0 %","[58.9, 65.3]","\u2013"],["\u2013","item-knn","0.0498","0.0388","22.0 %","[19.5, 24.5]","\u2013"],["sasrec","fine-tune","0.0563","0.0285","49.5 %","[46.7, 52.4]","5"]],"note":"The same trained models rank the same targets with the events of each history in random order (protocol loo-masked-shuffled, seed 2026): each model reads the items that it reads in true order. The loss is what of the metric's mean goes with the order; where it is small, a model reads a set and no sequence."},
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0049","0.0049","0.0049","98.3 %","0.1 %"],["\u2013","last-item","0.0483","0.0477","0.0475","91.8 %","0.8 %"],["\u2013","item-knn","0.0506","0.0498","0.0495","80.6 %","0.7 %"],["sasrec","fine-tune","0.0563","0.0563","0.0563","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","802,381","4,484,439","41.0 (36.0)","sampled-ce","2.924","NDCG@10@loo-masked","none","14 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration 716a5b5bc3be","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.00493525,null,[0.00493525]],"mean":[0.00493525,null,[0.00493525]]},"Recall@10":{"toys":[0.00901504,null,[0.00901504]],"mean":[0.00901504,null,[0.00901504]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.0514077,"relative":-0.912407,"methods":[-0.0547342,-0.0480812],"p":1.44854e-08,"models":[-0.0547377,-0.0480777],"alone":[-0.0541301,-0.0486853],"bootstrap":[-0.0541627,-0.0485397],"dz":-0.265279,"wins":[154,16809,2449]},"cost":{"train":0.05,"merge":0,"other":1.85,"peak":384},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration 9733159c74e5","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.0477417,null,[0.0477417]],"mean":[0.0477417,null,[0.0477417]]},"Recall@10":{"toys":[0.0704204,null,[0.0704204]],"mean":[0.0704204,null,[0.0704204]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00860122,"relative":-0.152658,"methods":[-0.0104985,-0.00670395],"p":8.00206e-06,"models":[-0.0105018,-0.0067007],"alone":[-0.0102586,-0.00694381],"bootstrap":[-0.0103597,-0.00684196],"dz":-0.0728123,"wins":[763,17034,1615]},"cost":{"train":0.07,"merge":0,"other":2.16,"peak":386},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 7ca6e0e4505b","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.0498007,null,[0.0498007]],"mean":[0.0498007,null,[0.0498007]]},"Recall@10":{"toys":[0.0810839,null,[0.0810839]],"mean":[0.0810839,null,[0.0810839]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00654221,"relative":-0.116114,"methods":[-0.00866681,-0.0044176],"p":1.29067e-05,"models":[-0.00867112,-0.00441329],"alone":[-0.00866681,-0.0044176],"bootstrap":[-0.00874024,-0.00435916],"dz":-0.0432321,"wins":[913,16707,1792]},"cost":{"train":0.55,"merge":0,"other":2.8,"peak":415},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","made":"no options; tuned: none; configuration ecad44b489a4","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"toys":[0.056343,[0.0558195,0.0568664],[0.0560136,0.0560014,0.0561086,0.0568982,0.056693]],"mean":[0.056343,[0.0558195,0.0568664],[0.0560136,0.0560014,0.0561086,0.0568982,0.056693]]},"Recall@10":{"toys":[0.0915104,[0.0900215,0.0929993],[0.0900989,0.090305,0.0922625,0.0924686,0.0924171]],"mean":[0.0915104,[0.0900215,0.0929993],[0.0900989,0.090305,0.0922625,0.0924686,0.0924171]]}},"shares":{"NDCG@10":{"toys":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"toys":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":176.17,"merge":0,"other":2.27,"peak":482},"gaps":[]}
]
},
{
"track":"toys",
"protocol":"loo",
"domains":[
"toys"
],
"card":[
["naive gate","Naive gate not passed on sasrec: nothing is said here of which method is better. The trained models, fine-tune (0.0382), do not beat last-item (0.0472) and item-knn (0.0394), which only count, by NDCG@10, means over domains and seeds; they beat popularity (0.0049). Verdicts on merging such models would say nothing of good ones."],
["dataset","amazon-mergerec"],
["domains","toys"],
["rows tuned on","none (4 rows)"],
["models tuned on","sasrec: 14 x validation labels of beauty (width, dropout, weight decay, averaging of weights, shared negatives (8: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration))"],
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
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0049","0.0049","0.0049","98.4 %","0.1 %"],["\u2013","last-item","0.0477","0.0472","0.0470","91.8 %","0.7 %"],["\u2013","item-knn","0.0398","0.0394","0.0391","80.7 %","0.5 %"],["sasrec","fine-tune","0.0382","0.0382","0.0382","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","802,381","4,484,439","41.0 (36.0)","sampled-ce","2.924","NDCG@10@loo-masked","none","14 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration 660de6fa02ac","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.00488424,null,[0.00488424]],"mean":[0.00488424,null,[0.00488424]]},"Recall@10":{"toys":[0.00891201,null,[0.00891201]],"mean":[0.00891201,null,[0.00891201]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.05,"merge":0,"other":1.85,"peak":384},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration ae7ddba11635","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.0472272,null,[0.0472272]],"mean":[0.0472272,null,[0.0472272]]},"Recall@10":{"toys":[0.0703173,null,[0.0703173]],"mean":[0.0703173,null,[0.0703173]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.07,"merge":0,"other":2.16,"peak":386},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 908e34f88ddd","seeds":[],"wanted":0,"values":{"NDCG@10":{"toys":[0.0393902,null,[0.0393902]],"mean":[0.0393902,null,[0.0393902]]},"Recall@10":{"toys":[0.0702143,null,[0.0702143]],"mean":[0.0702143,null,[0.0702143]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.55,"merge":0,"other":2.8,"peak":415},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","made":"no options; tuned: none; configuration eb2d7a25c75a","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"toys":[0.0382189,[0.0376557,0.0387822],[0.038037,0.0377795,0.0379363,0.0389037,0.0384381]],"mean":[0.0382189,[0.0376557,0.0387822],[0.038037,0.0377795,0.0379363,0.0389037,0.0384381]]},"Recall@10":{"toys":[0.0835978,[0.0820913,0.0851043],[0.0830414,0.0821657,0.0840202,0.0854111,0.0833505]],"mean":[0.0835978,[0.0820913,0.0851043],[0.0830414,0.0821657,0.0840202,0.0854111,0.0833505]]}},"shares":{"NDCG@10":{"toys":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"toys":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":176.17,"merge":0,"other":2.27,"peak":482},"gaps":[]}
]
},
{
"track":"sports",
"protocol":"loo-masked",
"domains":[
"sports"
],
"card":[
["naive gate","Naive gate passed on sasrec: the trained models, fine-tune (0.0283), beat popularity (0.0052), last-item (0.0234) and item-knn (0.0252) by NDCG@10, means over domains and seeds."],
["dataset","amazon-mergerec"],
["domains","sports"],
["rows tuned on","none (4 rows)"],
["models tuned on","sasrec: 14 x validation labels of beauty (width, dropout, weight decay, averaging of weights, shared negatives (8: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration))"],
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
{"metric":"NDCG@10","id":"0582da","label":"sasrec fine-tune","mean":0.0282795}
],
"across":null,
"cards":[
{"title":"Order: NDCG@10 on shuffled histories","answer":"","headers":["backbone","method","true order","shuffled","loss","95 %","seeds"],"rows":[["\u2013","popularity","0.0052","0.0052","0.0 %","[0.0, 0.0]","\u2013"],["\u2013","last-item","0.0234","0.0104","55.7 %","[51.9, 59.3]","\u2013"],["\u2013","item-knn","0.0252","0.0196","22.3 %","[19.1, 25.5]","\u2013"],["sasrec","fine-tune","0.0283","0.0180","36.5 %","[32.8, 40.1]","5"]],"note":"The same trained models rank the same targets with the events of each history in random order (protocol loo-masked-shuffled, seed 2026): each model reads the items that it reads in true order. The loss is what of the metric's mean goes with the order; where it is small, a model reads a set and no sequence."},
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0052","0.0052","0.0052","96.8 %","0.0 %"],["\u2013","last-item","0.0236","0.0234","0.0233","93.2 %","0.2 %"],["\u2013","item-knn","0.0254","0.0252","0.0250","86.0 %","0.2 %"],["sasrec","fine-tune","0.0283","0.0283","0.0283","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","971,209","5,156,358","27.2 (22.2)","sampled-ce","3.679","NDCG@10@loo-masked","none","14 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration e81e951d5b64","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.00522657,null,[0.00522657]],"mean":[0.00522657,null,[0.00522657]]},"Recall@10":{"sports":[0.00912973,null,[0.00912973]],"mean":[0.00912973,null,[0.00912973]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.0230529,"relative":-0.815182,"methods":[-0.0246836,-0.0214223],"p":2.3708e-08,"models":[-0.0247044,-0.0214015],"alone":[-0.0243874,-0.0217185],"bootstrap":[-0.024362,-0.0216581],"dz":-0.177129,"wins":[273,32467,2858]},"cost":{"train":0.06,"merge":0,"other":2.38,"peak":388},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration c0c74cd158fc","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.0234223,null,[0.0234223]],"mean":[0.0234223,null,[0.0234223]]},"Recall@10":{"sports":[0.0368841,null,[0.0368841]],"mean":[0.0368841,null,[0.0368841]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00485717,"relative":-0.171756,"methods":[-0.00605469,-0.00365966],"p":6.21185e-06,"models":[-0.00607926,-0.00363509],"alone":[-0.00590381,-0.00381054],"bootstrap":[-0.00596924,-0.00374555],"dz":-0.0472179,"wins":[966,32460,2172]},"cost":{"train":0.1,"merge":0,"other":2.21,"peak":391},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 6c30d38064e2","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.0252161,null,[0.0252161]],"mean":[0.0252161,null,[0.0252161]]},"Recall@10":{"sports":[0.0401146,null,[0.0401146]],"mean":[0.0401146,null,[0.0401146]]}},"shares":{"NDCG@10":null,"Recall@10":null},"verdict":"worse","reason":"","models":"worse","models_beside":false,"difference":{"family":0,"mean":-0.00306343,"relative":-0.108327,"methods":[-0.00438993,-0.00173694],"p":2.47693e-05,"models":[-0.0044076,-0.00171926],"alone":[-0.00438993,-0.00173694],"bootstrap":[-0.00442925,-0.00158331],"dz":-0.0236758,"wins":[1063,32133,2402]},"cost":{"train":0.63,"merge":0,"other":4.18,"peak":414},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","made":"no options; tuned: none; configuration e8cacc7eace8","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"sports":[0.0282795,[0.0280118,0.0285472],[0.0281365,0.028465,0.0283373,0.028477,0.0279817]],"mean":[0.0282795,[0.0280118,0.0285472],[0.0281365,0.028465,0.0283373,0.028477,0.0279817]]},"Recall@10":{"sports":[0.048941,[0.0486714,0.0492105],[0.0488792,0.0492443,0.0487106,0.0487949,0.0490758]],"mean":[0.048941,[0.0486714,0.0492105],[0.0488792,0.0492443,0.0487106,0.0487949,0.0490758]]}},"shares":{"NDCG@10":{"sports":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"sports":1,"mean of ratios":1,"ratio of means":1}},"verdict":"baseline","reason":"","cost":{"train":223.09,"merge":0,"other":3.13,"peak":506},"gaps":[]}
]
},
{
"track":"sports",
"protocol":"loo",
"domains":[
"sports"
],
"card":[
["naive gate","Naive gate not passed on sasrec: nothing is said here of which method is better. The trained models, fine-tune (0.0211), do not beat last-item (0.0231), which only counts, by NDCG@10, means over domains and seeds; they beat popularity (0.0051) and item-knn (0.0203). Verdicts on merging such models would say nothing of good ones."],
["dataset","amazon-mergerec"],
["domains","sports"],
["rows tuned on","none (4 rows)"],
["models tuned on","sasrec: 14 x validation labels of beauty (width, dropout, weight decay, averaging of weights, shared negatives (8: quality/records/sequential-first.txt and sequential-trials.jsonl); before them block, full or sampled softmax, width (6, an earlier calibration))"],
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
"cards":[
{"title":"Ties: NDCG@10 by the order of equal scores","answer":"","headers":["backbone","method","first","middle","last","tied","moved"],"rows":[["\u2013","popularity","0.0051","0.0051","0.0051","96.8 %","0.0 %"],["\u2013","last-item","0.0233","0.0231","0.0230","93.2 %","0.2 %"],["\u2013","item-knn","0.0204","0.0203","0.0202","86.0 %","0.2 %"],["sasrec","fine-tune","0.0211","0.0211","0.0211","0.0 %","0.0 %"]],"note":"Means over domains and seeds. First, last: the target stands before or behind all items of its score; the board has the middle. Tied: targets that share their score with another item; moved: targets whose metric the order of equals changes. Times are places in a sequence here: which targets share theirs cannot be told."},
{"title":"Training","answer":"","headers":["backbone","method","models","windows","targets","epochs (chosen)","objective","loss","chosen by","tuned (row)","tuned (backbone)"],"rows":[["\u2013","popularity","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","last-item","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["\u2013","item-knn","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","\u2013","none","\u2013"],["sasrec","fine-tune","2","971,209","5,156,358","27.2 (22.2)","sampled-ce","3.679","NDCG@10@loo-masked","none","14 x validation labels of beauty"]],"note":"Of all trainings behind a row, shared ones too: how many models, windows (parts of sequences) and targets met by all of them together, epochs of each that was validated (in brackets those after which the chosen weights stood; of all where none was), mean training loss before these were validated; means over the seeds. Losses of different objectives are not comparable. Tuned: how many settings were tried on what, for the row and for its backbone. \u2013: not in these records, or nothing is trained."}
],
"rows":[
{"id":"78b888","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","made":"no options; tuned: none; configuration 7c27aa6607d0","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.00510126,null,[0.00510126]],"mean":[0.00510126,null,[0.00510126]]},"Recall@10":{"sports":[0.00896118,null,[0.00896118]],"mean":[0.00896118,null,[0.00896118]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.06,"merge":0,"other":2.38,"peak":388},"gaps":[]},
{"id":"7d01de","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","made":"no options; tuned: none; configuration f682f138e609","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.023141,null,[0.023141]],"mean":[0.023141,null,[0.023141]]},"Recall@10":{"sports":[0.0365751,null,[0.0365751]],"mean":[0.0365751,null,[0.0365751]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.1,"merge":0,"other":2.21,"peak":391},"gaps":[]},
{"id":"78163e","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","made":"decay=0.8, k=100, max_history=50, shrink=5; tuned: none; configuration 755b8be4b9d7","seeds":[],"wanted":0,"values":{"NDCG@10":{"sports":[0.0202663,null,[0.0202663]],"mean":[0.0202663,null,[0.0202663]]},"Recall@10":{"sports":[0.0337659,null,[0.0337659]],"mean":[0.0337659,null,[0.0337659]]}},"shares":{"NDCG@10":null,"Recall@10":null},"cost":{"train":0.63,"merge":0,"other":4.18,"peak":414},"gaps":[]},
{"id":"0582da","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","made":"no options; tuned: none; configuration 49558bb99cbe","seeds":[0,1,2,3,4],"wanted":5,"values":{"NDCG@10":{"sports":[0.0211124,[0.0208354,0.0213894],[0.020976,0.0214807,0.0210403,0.0211484,0.0209166]],"mean":[0.0211124,[0.0208354,0.0213894],[0.020976,0.0214807,0.0210403,0.0211484,0.0209166]]},"Recall@10":{"sports":[0.0446935,[0.0442593,0.0451278],[0.0443564,0.0452273,0.0444407,0.044834,0.0446092]],"mean":[0.0446935,[0.0442593,0.0451278],[0.0443564,0.0452273,0.0444407,0.044834,0.0446092]]}},"shares":{"NDCG@10":{"sports":1,"mean of ratios":1,"ratio of means":1},"Recall@10":{"sports":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":223.09,"merge":0,"other":3.13,"peak":506},"gaps":[]}
]
}
],
"figures":[]
});
